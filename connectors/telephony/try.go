package telephony

import "hearback/connectors"

// try shows what a pasted request would become.
func try(settings map[string]string, s connectors.Sample) connectors.Trial { return connectors.Trial{} }
