package telephony

import (
	"encoding/json"
	"fmt"
)

// genericEvent is the JSON of docs/telephony.md.
type genericEvent struct {
	ID         word              `json:"id"`
	Type       word              `json:"type"`
	OccurredAt word              `json:"occurred_at"`
	CallID     word              `json:"call_id"`
	LegID      word              `json:"leg_id"`
	ParentID   word              `json:"parent_call_id"`
	Direction  word              `json:"direction"`
	From       genericParty      `json:"from"`
	To         genericParty      `json:"to"`
	Customer   genericParty      `json:"customer"`
	Agent      genericAgents     `json:"agent"`
	Agents     genericAgents     `json:"agents"`
	Queue      word              `json:"queue"`
	DTMF       word              `json:"dtmf"`
	IVR        []genericKey      `json:"ivr"`
	StartedAt  word              `json:"started_at"`
	AnsweredAt word              `json:"answered_at"`
	EndedAt    word              `json:"ended_at"`
	TalkTime   word              `json:"talk_seconds"`
	Outcome    word              `json:"outcome"`
	Cause      word              `json:"cause"`
	Hangup     genericHangup     `json:"hangup"`
	Recording  *genericRecording `json:"recording"`
	Transcript []genericLine     `json:"transcript"`
	Rating     word              `json:"rating"`
	CallbackID word              `json:"callback_id"`
	UserData   map[string]word   `json:"user_data"`
}

// genericParty is a number, or an object with what is known of it.
type genericParty struct {
	Number, Name string
}

func (p *genericParty) UnmarshalJSON(b []byte) error {
	*p = genericParty{}
	if len(b) == 0 || b[0] != '{' {
		var w word
		err := w.UnmarshalJSON(b)
		p.Number = w.String()
		return err
	}
	var o struct {
		E164      word `json:"e164"`
		Number    word `json:"number"`
		Raw       word `json:"raw"`
		DID       word `json:"did"`
		Name      word `json:"name"`
		Anonymous bool `json:"anonymous"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return fmt.Errorf("read party: %w", err)
	}
	p.Number, p.Name = firstOf(o.E164.String(), o.Number.String(), o.Raw.String(), o.DID.String()), o.Name.String()
	if o.Anonymous {
		p.Number = "anonymous"
	}
	return nil
}

// genericAgents are one or several of: an extension, or an object with what the call centre calls the agent.
type genericAgents []string

func (a *genericAgents) UnmarshalJSON(b []byte) error {
	*a = nil
	if len(b) > 0 && b[0] == '[' {
		var all []genericAgents
		if err := json.Unmarshal(b, &all); err != nil {
			return fmt.Errorf("read agents: %w", err)
		}
		for _, one := range all {
			*a = append(*a, one...)
		}
		return nil
	}
	if len(b) == 0 || b[0] != '{' {
		var w word
		if err := w.UnmarshalJSON(b); err != nil || w.String() == "" {
			return err
		}
		*a = genericAgents{w.String()}
		return nil
	}
	var o struct {
		Ext        word `json:"ext"`
		ProviderID word `json:"provider_id"`
		Email      word `json:"email"`
		Name       word `json:"name"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return fmt.Errorf("read agent: %w", err)
	}
	for _, w := range []word{o.Ext, o.ProviderID, o.Email, o.Name} {
		if w.String() != "" {
			*a = append(*a, w.String())
		}
	}
	return nil
}

type genericKey struct {
	Key   word `json:"key"`
	Label word `json:"label"`
	At    word `json:"at"`
}

type genericHangup struct {
	Cause word `json:"cause"`
	SIP   word `json:"sip_code"`
	Q850  word `json:"q850"`
	By    word `json:"by"`
}

type genericRecording struct {
	ID        word `json:"id"`
	URL       word `json:"url"`
	Type      word `json:"type"`
	ExpiresAt word `json:"expires_at"`
	Duration  word `json:"duration"`
}

type genericLine struct {
	Speaker word `json:"speaker"`
	Text    word `json:"text"`
	Start   word `json:"start"` // a time, or seconds from the start of the call
}
