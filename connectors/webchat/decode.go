package webchat

import (
	"encoding/json"
	"fmt"
	"strings"

	"hearback/desk"
)

// Decode understands what accept and receipts wrote.
func Decode(e desk.Envelope) ([]desk.Inbound, error) {
	if e.Type == desk.EnvelopeReceipt {
		var r receipt
		if err := json.Unmarshal(e.Raw, &r); err != nil {
			return nil, fmt.Errorf("decode receipt: %w", err)
		}
		if len(r.IDs) == 0 {
			return nil, nil
		}
		return []desk.Inbound{{Type: desk.EnvelopeReceipt, Receipt: &desk.Receipt{ExternalIDs: r.IDs, State: r.State}}}, nil
	}
	var m said
	if err := json.Unmarshal(e.Raw, &m); err != nil {
		return nil, fmt.Errorf("decode message: %w", err)
	}
	in := desk.Inbound{
		Type:     desk.EnvelopeMessage,
		From:     desk.Identity{Type: kindName, Value: e.Sender, Scope: e.ChannelID, Verified: true},
		Also:     m.Who.identities(e.ChannelID),
		Name:     withoutNUL(m.Who.Name),
		Level:    m.Who.Level,
		Language: m.Language,
		Text:     withoutNUL(m.Text),
	}
	if in.Text != m.Text {
		in.Repairs = append(in.Repairs, "NUL characters were removed from the text")
	}
	for _, f := range m.Files {
		in.Attachments = append(in.Attachments, desk.InboundAttachment{Name: withoutNUL(f.Name), Type: f.Type, Size: f.Size, Blob: f.Blob})
	}
	if m.Page != "" {
		in.Fields = map[string]string{"page": withoutNUL(m.Page)}
	}
	return []desk.Inbound{in}, nil
}

// identities lists who else this visitor is. Only what the host page signed is verified and joins contacts.
func (p profile) identities(channel desk.ID) []desk.Identity {
	var out []desk.Identity
	if p.External != "" {
		out = append(out, desk.Identity{Type: "external", Value: p.External, Scope: channel, Verified: true})
	}
	if p.Email != "" {
		out = append(out, desk.Identity{Type: "email", Value: p.Email, Verified: p.Proven})
	}
	if p.Phone != "" {
		out = append(out, desk.Identity{Type: "phone", Value: phoneDigits(p.Phone), Verified: p.Proven})
	}
	return out
}

// phoneDigits drops the decoration of a number; the normalizer knows countries.
func phoneDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
