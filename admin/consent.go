package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"hearback/connectors/fleet"
	"hearback/desk"
)

// A Consent is where the admin logs in at the provider.
type Consent struct {
	URL string `json:"url"`
}

// consentAnswer is what the provider's redirect carries (RFC 6749, 4.1.2).
type consentAnswer struct {
	Code             string `query:"code" maxLength:"4096"`
	State            string `query:"state" maxLength:"4096"`
	Error            string `query:"error" maxLength:"200"`
	ErrorDescription string `query:"error_description" maxLength:"2000"`
}

type redirect struct {
	Status   int
	Location string `header:"Location"`
}

// beginConsent names the provider's log-in page. What is missing for it is said in a sentence.
func (a *Admin) beginConsent(ctx context.Context, in *byID) (*body[Consent], error) {
	ch, err := a.store.Channel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	page, err := a.o.Fleet.Begin(ch, a.o.Actor(ctx).ID)
	if err != nil {
		return nil, wrong("body.settings", shownText(err))
	}
	a.changed(ctx, "", "channel.consent_begun", ch.ID, ChannelAudit{Kind: ch.Kind, Name: ch.Name, Fields: []string{}})
	return &body[Consent]{Consent{URL: page}}, nil
}

// endConsent is where the provider sends the browser back to. Whatever happened, the admin lands on his channel's page: with ok, or
// with what went wrong.
func (a *Admin) endConsent(ctx context.Context, in *consentAnswer) (*redirect, error) {
	id, err := a.o.Fleet.ConsentOf(ctx, in.State, a.o.Actor(ctx).ID)
	if errors.Is(err, fleet.ErrConsent) {
		return a.backTo("", "state", err.Error()), nil
	}
	if err != nil {
		return nil, err
	}
	if in.Code == "" {
		why := in.ErrorDescription
		if why == "" {
			why = in.Error
		}
		return a.backTo(id, "denied", why), nil
	}
	ch, err := a.store.Channel(ctx, id)
	if err != nil {
		return nil, err
	}
	settings, err := a.o.Fleet.Exchange(ctx, ch, in.State, in.Code)
	if err != nil {
		a.logger.Warn("the provider gave no access", "channel", id, "err", a.withoutSecrets(ch, err.Error()))
		return a.backTo(id, "provider", a.withoutSecrets(ch, err.Error())), nil
	}
	if err := a.keepConsent(ctx, ch, settings); err != nil {
		return nil, err
	}
	return a.backTo(id, "", ""), nil
}

// keepConsent stores what the provider gave; the fleet opens the channel anew with it.
func (a *Admin) keepConsent(ctx context.Context, ch desk.Channel, settings map[string]string) error {
	kind, _ := a.o.Fleet.Kind(ch.Kind)
	secret := secretFields(kind)
	ch.Settings = overlay(ch.Settings, settings, secret)
	if err := judged(kind, ch.Settings); err != nil {
		return err
	}
	saved, err := a.store.SaveChannel(ctx, ch, secret)
	if err != nil {
		return err
	}
	a.changed(ctx, "channel", "channel.consented", saved.ID, ChannelAudit{Kind: saved.Kind, Name: saved.Name, Fields: keys(settings)})
	return nil
}

// backTo is the channel's page in the console.
func (a *Admin) backTo(id desk.ID, code, detail string) *redirect {
	q := url.Values{"consent": {"ok"}}
	if code != "" {
		if r := []rune(detail); len(r) > 300 {
			detail = string(r[:300])
		}
		q = url.Values{"consent": {"failed"}, "problem": {code}, "detail": {detail}}
	}
	path := "/admin/channels"
	if id != "" {
		path += "/" + url.PathEscape(id)
	}
	return &redirect{Status: http.StatusSeeOther, Location: a.o.PublicURL + path + "?" + q.Encode()}
}
