package telephony

import (
	"fmt"
	"net/http"
	"slices"

	"hearback/desk"
)

// Decode understands one envelope: what ServeHTTP kept. It is pure; the channel's settings came with the envelope.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	if e.Meta[metaSMS] != "" {
		return decodeSMS(e)
	}
	s := readSettings(e.Meta)
	f, err := formatOf(s)
	if err != nil {
		return nil, fmt.Errorf("decode call event: %w", err)
	}
	req := &request{Method: e.Meta[metaMethod], Query: e.Meta[metaQuery], Type: e.Meta[metaType], ID: e.Meta[metaID], Body: e.Raw, At: e.ReceivedAt}
	if req.Method == "" {
		req.Method = http.MethodPost
	}
	if e.Meta[metaBare] != "" {
		req.Query, req.Body = string(e.Raw), nil
	}
	reports, err := f.read(s, req)
	if err != nil {
		return nil, fmt.Errorf("decode call event: %w", err)
	}
	var out []desk.Inbound
	for i := range reports {
		out = append(out, inboundsOf(s, e.ChannelID, req, &reports[i])...)
	}
	return out, nil
}

// maxMore is how many events a report may tell beside its own. A call keeps fewer.
const maxMore = 500

// inboundsOf makes of a report what the desk files: one inbound per event, the first with the recording.
func inboundsOf(s *settings, channel desk.ID, req *request, rep *report) []desk.Inbound {
	call, whose := callID(rep.Call), ""
	var out []desk.Inbound
	for i, e := range slices.Concat([]desk.CallEvent{rep.Event}, rep.More[:min(len(rep.More), maxMore)]) {
		e.Key = eventKey(rep, &e, req.ID, i)
		if i == 0 && rep.Recording != nil {
			e.Recording = clean(firstOf(rep.Recording.ID, rep.Recording.Ref), 300)
		}
		customer := s.finish(&e, rep.Customer, req.At)
		if i == 0 {
			whose = customer
		} else if customer == "" {
			customer = whose // what one report tells is of one customer
		}
		in := desk.Inbound{Type: desk.EnvelopeMessage, From: desk.Identity{Type: "call", Value: call, Scope: channel}, Call: s.report(call, e, customer)}
		if customer != "" {
			in.From = desk.Identity{Type: "phone", Value: customer, Verified: true}
		}
		if e.Direction != "outbound" {
			in.Name = e.FromName
		}
		if !e.Heard {
			in.SentAt = e.At
		}
		if i == 0 {
			in.Fields = fieldsOf(rep.Fields)
			in.Attachments = rep.Recording.attachments(e.Type, req.At)
		}
		out = append(out, in)
	}
	return out
}
