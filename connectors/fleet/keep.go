package fleet

import (
	"context"
	"fmt"
	"maps"

	"hearback/connectors"
	"hearback/desk"
)

// A settingsStore can change a channel. A store that cannot lends no Keep.
type settingsStore interface {
	Channel(ctx context.Context, id desk.ID) (desk.Channel, error)
	SaveChannel(ctx context.Context, ch desk.Channel, secretFields []string) (desk.Channel, error)
}

// keeper stores what a provider has changed by itself, e.g. a renewed token. An admin who saves in the same moment goes first: the
// error is desk.ErrConflict then.
func (f *Fleet) keeper(kind connectors.Kind, id desk.ID) func(context.Context, map[string]string) error {
	store, ok := f.o.Store.(settingsStore)
	if !ok {
		return nil
	}
	return func(ctx context.Context, changed map[string]string) error {
		var secrets []string
		for _, field := range kind.Fields {
			if field.Secret {
				secrets = append(secrets, field.Name)
			}
		}
		ch, err := store.Channel(ctx, id)
		if err != nil {
			return fmt.Errorf("keep settings: %w", err)
		}
		maps.Copy(ch.Settings, changed)
		if _, err := store.SaveChannel(ctx, ch, secrets); err != nil {
			return fmt.Errorf("keep settings: %w", err)
		}
		return nil
	}
}
