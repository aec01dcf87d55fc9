package telephony

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hearback/connectors"
	"hearback/desk"
)

// try shows what a pasted request would become: the way of ServeHTTP and Decode without the proof of origin, a channel or a store.
// The clock stands for the moment the request would have come; nothing else beside the arguments is looked at.
func try(given map[string]string, s connectors.Sample) connectors.Trial {
	return tryAt(given, s, desk.At(time.Now()))
}

func tryAt(given map[string]string, s connectors.Sample, now desk.Time) connectors.Trial {
	out := connectors.Trial{Problems: tryProblems(given)}
	if len(out.Problems) > 0 {
		return out
	}
	c := &Connector{ch: desk.Channel{Settings: given}, set: readSettings(given), meta: map[string]string{}}
	var err error
	if c.format, err = formatOf(c.set); err != nil {
		return wrongTrial(out, "format", "无法使用这个格式。", "This format cannot be used.")
	}
	for _, name := range traveling {
		if v := given[name]; v != "" {
			c.meta[name] = v
		}
	}
	req := sampleRequest(s, now)
	if n, ok := c.format.(namer); ok {
		req.ID = clean(n.eventID(s.Header), 200)
	}
	if !c.takes(req.Method) || len(req.Body) > maxBody {
		return wrongTrial(out, "body", "请求方法不对，或内容超过 1 MB。", "The method is not taken, or the body is larger than 1 MB.")
	}
	if c.takesSMS("/", req) {
		return c.trySMS(out, req)
	}
	return c.tryCall(out, req)
}

// tryProblems are those of settings that reading needs; the others do not matter here.
func tryProblems(given map[string]string) []connectors.Problem {
	if given["format"] == "profile" {
		return checkProfile(given["profile"])
	}
	return nil
}

func sampleRequest(s connectors.Sample, now desk.Time) *request {
	r := &request{Method: s.Method, Query: s.Query.Encode(), Type: s.Header.Get("Content-Type"), Body: s.Body, At: now, Header: s.Header}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	if r.Method == http.MethodGet && len(r.Body) > 0 && r.Query == "" { // the parameters were pasted as the body
		if q, err := url.ParseQuery(string(r.Body)); err == nil {
			r.Query, r.Body = q.Encode(), nil
		}
	}
	return r
}

// tryCall reads a request as the channel would and folds its events.
func (c *Connector) tryCall(out connectors.Trial, req *request) connectors.Trial {
	if p, ok := c.format.(*profile); ok {
		if _, problems, err := p.reports(c.set, req); err == nil {
			out.Problems = append(out.Problems, problems...)
		}
	}
	envelopes, ref := c.read(req)
	if ref != nil {
		out.Answer = c.format.refused(ref.status, ref.detail)
		return wrongTrial(out, "body", "呼叫中心会收到拒绝："+ref.detail, "It would be refused: "+ref.detail)
	}
	out.Answer = c.format.taken(c.set, req)
	calls := map[string]*desk.Call{}
	for _, e := range envelopes {
		inbounds, err := Decode(e)
		if err != nil {
			return wrongTrial(out, "body", "无法解读："+brief(err.Error()), "It cannot be read: "+brief(err.Error()))
		}
		for _, in := range inbounds {
			call := calls[in.Call.ID]
			if call == nil {
				call = &desk.Call{ID: in.Call.ID}
				calls[in.Call.ID] = call
			}
			*call = call.With(in.Call.Event)
			if out.Call == nil {
				out.Call = call
			}
		}
		out.Inbounds = append(out.Inbounds, inbounds...)
	}
	switch {
	case len(envelopes) == 0:
		return wrongTrial(out, "body", "请求可以接收，但其中没有通话事件。", "It would be taken, but it says nothing of a call.")
	case len(calls) > 1:
		return wrongTrial(out, "body", fmt.Sprintf("其中有 %d 通电话，这里只显示第一通。", len(calls)), fmt.Sprintf("It tells of %d calls; only the first is shown.", len(calls)))
	case out.Inbounds[0].Call.Customer == "" && out.Call.Direction != "internal":
		return wrongTrial(out, "from", "没有可识别的客户号码：这通电话不会归到任何联系人。", "There is no customer's number in it: the call belongs to no contact.")
	}
	return out
}

// trySMS shows a customer's message.
func (c *Connector) trySMS(out connectors.Trial, req *request) connectors.Trial {
	envelopes, err := c.smsEnvelopes("twilio", req)
	if err != nil {
		return wrongTrial(out, "body", "短信无法解读。", "The SMS cannot be read.")
	}
	out.Answer = connectors.Answer{Status: http.StatusOK, Type: "text/xml", Body: "<Response/>"}
	for _, e := range envelopes {
		inbounds, err := decodeSMS(e)
		if errors.Is(err, desk.ErrInvalid) {
			return wrongTrial(out, "body", "短信无法解读。", "The SMS cannot be read.")
		}
		out.Inbounds = append(out.Inbounds, inbounds...)
	}
	if len(out.Inbounds) == 0 {
		return wrongTrial(out, "body", "请求可以接收，但其中没有短信。", "It would be taken, but there is no message in it.")
	}
	return out
}

func wrongTrial(t connectors.Trial, field, zh, en string) connectors.Trial {
	t.Problems = append(t.Problems, connectors.Problem{Field: field, Text: connectors.Text{Zh: zh, En: en}})
	return t
}
