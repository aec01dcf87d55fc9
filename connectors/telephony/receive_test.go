package telephony_test

import (
	"io"
	"net/http"
	"testing"

	"hearback/connectors/connectortest"
	"hearback/connectors/telephony"
)

// TestZammadsPublishedPayloads: docs.zammad.org/en/latest/api/generic-cti, as JSON, as its curl samples' forms with their quotes, and
// in the older urlencoded way.
func TestZammadsPublishedPayloads(t *testing.T) {
	connectortest.Receive(t, telephony.Kind, map[string]string{"format": "zammad", "token": token, "secret": secret, "country": "DE"}, []connectortest.In{
		{Name: "new call in", Request: "testdata/zammad_newcall_in.http", Reply: "{}"},
		{Name: "new call in again", Request: "testdata/zammad_newcall_in.http", Reply: "{}", WantNothing: true},
		{Name: "new call out", Request: "testdata/zammad_newcall_out.http", Reply: "{}"},
		{Name: "answered", Request: "testdata/zammad_answer_in.http", Reply: "{}"},
		{Name: "hung up", Request: "testdata/zammad_hangup_in.http", Reply: "{}"},
		{Name: "hung up, out", Request: "testdata/zammad_hangup_out.http", Reply: "{}"},
		{Name: "form", Request: "testdata/zammad_form_in.http", Reply: "{}"},
		{Name: "urlencoded", Request: "testdata/zammad_curl_in.http", Reply: "{}"},
	})
}

func TestGenericEvents(t *testing.T) {
	prepare := func(r *http.Request, now int64) {
		body, _ := r.GetBody()
		b, _ := io.ReadAll(body)
		r.Header.Set("Content-Type", "application/json")
		signAs(r, "evt-1", string(b), now)
	}
	connectortest.Receive(t, telephony.Kind, map[string]string{"format": "generic", "secret": secret, "area_code": "010"}, []connectortest.In{
		{Name: "forged", Request: "testdata/generic.json", Prepare: prepare, Tamper: true, Status: 401, WantNothing: true},
		{Name: "everything a call can tell", Request: "testdata/generic.json", Prepare: prepare, Reply: "{}", Want: "testdata/generic.want.json"},
		{Name: "the same again", Request: "testdata/generic.json", Prepare: prepare, Reply: "{}", WantNothing: true},
	})
}

func TestTCCCPushes(t *testing.T) {
	login := func(r *http.Request, _ int64) { r.SetBasicAuth("tccc", "push-secret") }
	connectortest.Receive(t, telephony.Kind, map[string]string{"format": "tccc", "secret": "tccc:push-secret"}, []connectortest.In{
		{Name: "no password", Request: "testdata/tccc_record.http", Status: 401, WantNothing: true},
		{Name: "voicemail of a caller told as a number", Request: "testdata/tccc_voicemail.http", Prepare: login, Reply: `{"ErrCode":0,"ErrMsg":""}`, Want: "testdata/tccc_voicemail.want.json"},
		{Name: "the same push again", Request: "testdata/tccc_voicemail.http", Prepare: login, Reply: `{"ErrCode":0,"ErrMsg":""}`, WantNothing: true},
		{Name: "record", Request: "testdata/tccc_record.http", Prepare: login, Reply: `{"ErrCode":0,"ErrMsg":""}`},
	})
}

func TestAliyunBatches(t *testing.T) {
	login := func(r *http.Request, _ int64) { r.SetBasicAuth("ali", "push-secret") }
	connectortest.Receive(t, telephony.Kind, map[string]string{"format": "aliyun", "secret": "ali:push-secret"}, []connectortest.In{
		{Name: "three events of two calls", Request: "testdata/aliyun_batch.http", Prepare: login, Reply: `{"code":0,"msg":"接收成功"}`, Want: "testdata/aliyun_batch.want.json"},
		{Name: "the same batch again", Request: "testdata/aliyun_batch.http", Prepare: login, Reply: `{"code":0,"msg":"接收成功"}`, WantNothing: true},
	})
}
