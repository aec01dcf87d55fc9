package wechat

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"hearback/connectors"
)

// maxMedia is the largest file taken from Tencent, which itself takes no more than 20 MB from customers.
const maxMedia = 32 << 20

// refOf names a file for Fetch: the kind of account it belongs to and its media id.
func refOf(account, mediaID string) string { return account + ":" + mediaID }

// Fetch brings a customer's file. Tencent answers with the bytes, with an errcode in JSON, or for some videos with an address.
func (c *official) Fetch(ctx context.Context, ref string) (io.ReadCloser, string, error) {
	return c.api.fetch(ctx, ref)
}

func (a *api) fetch(ctx context.Context, ref string) (io.ReadCloser, string, error) {
	account, id, ok := strings.Cut(ref, ":")
	if !ok || id == "" || account != a.s.account {
		return nil, "", &connectors.SendError{Class: connectors.Permanent, Code: "media_ref", Hint: say("文件属于另一种账号，无法下载。", "The file belongs to another kind of account.")}
	}
	var got struct {
		body io.ReadCloser
		typ  string
	}
	c := call{method: http.MethodGet, path: "/cgi-bin/media/get", query: url.Values{"media_id": {id}}, file: true}
	err := a.call(ctx, c, func(res *http.Response) error {
		var err error
		got.body, got.typ, err = a.readMedia(ctx, res)
		return err
	})
	if err != nil {
		return nil, "", a.mediaGone(err)
	}
	return got.body, got.typ, nil
}

// mediaGone tells a file that nobody will ever get from a failure that passes.
func (a *api) mediaGone(err error) error {
	e := connectors.AsSendError(err)
	if e.Code == "40007" {
		return &connectors.SendError{Class: connectors.Permanent, Code: e.Code, Err: err, Hint: say("文件已被微信删除（超过三天）。", "WeChat has deleted the file (after three days).")}
	}
	if e.Class == connectors.Permanent && e.Code != "media_size" {
		return &connectors.SendError{Class: connectors.Transient, Code: e.Code, Hint: e.Hint, Err: err}
	}
	return err
}

// readMedia sniffs an answer of media/get.
func (a *api) readMedia(ctx context.Context, res *http.Response) (io.ReadCloser, string, error) {
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusPartialContent {
		return nil, "", &statusError{res.StatusCode}
	}
	r := bufio.NewReader(res.Body)
	head, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	if len(head) == 0 {
		return nil, "", &statusError{http.StatusOK}
	}
	if told := bare(res.Header.Get("Content-Type")); bytes.HasPrefix(head, []byte("{")) && (told == "" || strings.HasPrefix(told, "text/") || strings.Contains(told, "json")) &&
		res.Header.Get("Content-Disposition") == "" {
		raw, err := io.ReadAll(io.LimitReader(r, 64<<10))
		if err != nil {
			return nil, "", err
		}
		var answer struct {
			Video string `json:"video_url"`
			Down  string `json:"down_url"`
		}
		if err := understand(raw, &answer); err != nil {
			return nil, "", err
		}
		return a.fetchURL(ctx, first(answer.Video, answer.Down))
	}
	return take(r, head, res)
}

// fetchURL brings a video from where Tencent says it is. No token goes there.
func (a *api) fetchURL(ctx context.Context, address string) (io.ReadCloser, string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, "", &statusError{http.StatusOK}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", &statusError{http.StatusOK}
	}
	res, err := a.tools.HTTP.Do(req)
	if err != nil {
		return nil, "", &lostError{why: withoutAddress(err)}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, "", &statusError{res.StatusCode}
	}
	r := bufio.NewReader(res.Body)
	head, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	return take(r, head, res)
}

// take reads a whole file: the connection ends with the call's time limit, which is not the reader's.
func take(r io.Reader, head []byte, res *http.Response) (io.ReadCloser, string, error) {
	typ := mediaType(head, res.Header)
	if res.ContentLength > maxMedia {
		return nil, "", tooLarge(res.ContentLength)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxMedia+1))
	switch {
	case err != nil:
		return nil, "", err
	case len(raw) > maxMedia:
		return nil, "", tooLarge(int64(len(raw)))
	}
	return io.NopCloser(bytes.NewReader(raw)), typ, nil
}

func tooLarge(n int64) error {
	return &connectors.SendError{Class: connectors.Permanent, Code: "media_size", Err: fmt.Errorf("fetch media: %d bytes or more", n),
		Hint: say("文件太大，没有下载。", "The file is too big and was not fetched.")}
}

// mediaType trusts the bytes, then the header.
func mediaType(head []byte, h http.Header) string {
	typ := bare(http.DetectContentType(head))
	told := bare(h.Get("Content-Type"))
	switch {
	case bytes.HasPrefix(head, []byte("#!AMR")):
		return "audio/amr"
	case bytes.HasPrefix(head, []byte("#!SILK")) || bytes.HasPrefix(head, []byte("\x02#!SILK")):
		return "audio/silk"
	case (typ == "application/octet-stream" || typ == "text/plain" || typ == "application/zip") && told != "" && told != "application/octet-stream" && told != "text/plain":
		typ = told
	}
	return typ
}
