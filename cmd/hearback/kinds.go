package main

import (
	"hearback/connectors"
	"hearback/connectors/email"
	"hearback/connectors/telephony"
	"hearback/connectors/webchat"
	"hearback/connectors/wechat"
)

// kinds lists every type of channel this build can open. A new one is a line here.
var kinds = []connectors.Kind{webchat.Kind, email.Kind, wechat.Kind, telephony.Kind}

func kindNamed(name string) (connectors.Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return connectors.Kind{}, false
}

// patientKinds names the kinds whose customers do not wait at a screen.
func patientKinds() (names []string) {
	for _, k := range kinds {
		if k.Patient {
			names = append(names, k.Name)
		}
	}
	return names
}
