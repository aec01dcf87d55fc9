package fleet

import (
	"fmt"

	"hearback/connectors"
	"hearback/desk"
)

// Try shows what a request of a provider would become with these settings. It opens nothing and changes nothing; a panic of the
// kind's is an error.
func (f *Fleet) Try(kindName string, settings map[string]string, s connectors.Sample) (trial connectors.Trial, err error) {
	kind, ok := f.kinds[kindName]
	if !ok || kind.Try == nil {
		return trial, fmt.Errorf("try a sample: %w", desk.ErrNotFound)
	}
	settings, _ = Complete(kind, settings, false)
	defer f.contained(desk.Channel{Kind: kindName, Settings: settings}, &err)
	return kind.Try(settings, s), nil
}
