package ticketstore

import (
	"context"
	"fmt"
	"maps"

	"hearback/desk"
	"hearback/vault"
)

const channelColumns = `ch.id, ch.kind, ch.name, ch.enabled, ch.team_id, ch.settings, ch.version, ch.created_at, ch.updated_at`

func scanChannel(row scanner) (desk.Channel, error) {
	ch := desk.Channel{Settings: map[string]string{}}
	err := row.Scan(&ch.ID, &ch.Kind, &ch.Name, &ch.Enabled, &ch.TeamID, jsonInto{&ch.Settings}, &ch.Version, &ch.CreatedAt, &ch.UpdatedAt)
	return ch, err
}

// Channels reads all channels with their secrets opened, the oldest first.
func (s *Store) Channels(ctx context.Context) ([]desk.Channel, error) {
	found, err := list(ctx, s, s.read, scanChannel, `SELECT `+channelColumns+` FROM channels ch ORDER BY ch.id`)
	if err == nil {
		err = s.openSecrets(ctx, s.read, found)
	}
	if err != nil {
		return nil, fmt.Errorf("read channels: %w", err)
	}
	return found, nil
}

// Channel reads one channel with its secrets opened; desk.ErrNotFound when there is none.
func (s *Store) Channel(ctx context.Context, id desk.ID) (desk.Channel, error) {
	ch, err := s.channel(ctx, s.read, id)
	if err != nil {
		return desk.Channel{}, fmt.Errorf("read channel %s: %w", id, err)
	}
	return ch, nil
}

func (s *Store) channel(ctx context.Context, from source, id desk.ID) (desk.Channel, error) {
	ch, err := one(ctx, s, from, scanChannel, `SELECT `+channelColumns+` FROM channels ch WHERE ch.id = ?`, id)
	if err != nil {
		return desk.Channel{}, err
	}
	opened := []desk.Channel{ch}
	if err := s.openSecrets(ctx, from, opened); err != nil {
		return desk.Channel{}, err
	}
	return opened[0], nil
}

// SaveChannel stores a channel, a new one when its ID is empty, and returns it as stored, secrets opened. Settings named in
// secretFields are sealed apart; an empty one keeps the secret stored before. A Version other than 0 must be the stored one,
// else somebody changed the channel meanwhile: desk.ErrConflict. Every save counts the version up.
func (s *Store) SaveChannel(ctx context.Context, ch desk.Channel, secretFields []string) (saved desk.Channel, err error) {
	if ch.Kind == "" || ch.Name == "" {
		return desk.Channel{}, fmt.Errorf("save channel: kind and name are needed: %w", desk.ErrInvalid)
	}
	isNew := ch.ID == ""
	if isNew {
		ch.ID = desk.NewID()
	}
	settings, secrets := maps.Clone(ch.Settings), map[string]string{}
	for _, field := range secretFields {
		if settings[field] != "" {
			secrets[field] = settings[field]
		}
		delete(settings, field)
	}
	ch.Settings = settings
	err = s.write(ctx, func(t *tx) error {
		if err := putChannel(t, ch, isNew); err != nil {
			return err
		}
		for field, secret := range secrets {
			if err := putSecret(t, ch.ID, field, secret); err != nil {
				return err
			}
		}
		saved, err = s.channel(t.ctx, t, ch.ID)
		return err
	})
	if err != nil {
		return desk.Channel{}, fmt.Errorf("save channel: %w", err)
	}
	return saved, nil
}

func putChannel(t *tx, ch desk.Channel, isNew bool) error {
	now := t.s.now()
	if isNew {
		_, err := t.exec(`INSERT INTO channels (id, kind, name, enabled, team_id, settings, version, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)`, ch.ID, ch.Kind, ch.Name, ch.Enabled, ch.TeamID, toJSON(ch.Settings), now, now)
		return err
	}
	version, err := one(t.ctx, t.s, t, plain[int64], `SELECT version FROM channels WHERE id = ?`+t.s.dialect.forUpdate, ch.ID)
	if err != nil {
		return err
	}
	if ch.Version != 0 && ch.Version != version {
		return fmt.Errorf("changed by somebody else meanwhile: %w", desk.ErrConflict)
	}
	_, err = t.exec(`UPDATE channels SET name = ?, enabled = ?, team_id = ?, settings = ?, version = version + 1, updated_at = ? WHERE id = ?`,
		ch.Name, ch.Enabled, ch.TeamID, toJSON(ch.Settings), now, ch.ID)
	return err
}

// secretPlace binds a sealed secret to its channel and field: copied into another row it does not open.
func secretPlace(channel desk.ID, field string) string { return channel + "/" + field }

func putSecret(t *tx, channel desk.ID, field, secret string) error {
	if t.s.opt.Vault == nil {
		return fmt.Errorf("seal %s: the store was opened without a vault", field)
	}
	sealed, err := t.s.opt.Vault.Seal(secretPlace(channel, field), []byte(secret))
	if err != nil {
		return fmt.Errorf("seal %s: %w", field, err)
	}
	_, err = t.exec(`INSERT INTO channel_secrets (channel_id, field, sealed, last_four) VALUES (?, ?, ?, ?)
		ON CONFLICT (channel_id, field) DO UPDATE SET sealed = excluded.sealed, last_four = excluded.last_four`,
		channel, field, sealed, lastFour(secret))
	return err
}

// lastFour is what may be shown of a secret: nothing of a short one, of which four characters would be too much.
func lastFour(secret string) string {
	r := []rune(secret)
	if len(r) < 12 {
		return ""
	}
	return string(r[len(r)-4:])
}

type sealedSecret struct {
	channel       desk.ID
	field, sealed string
}

func scanSecret(row scanner) (sealedSecret, error) {
	var x sealedSecret
	err := row.Scan(&x.channel, &x.field, &x.sealed)
	return x, err
}

// openSecrets puts the opened secrets among the channels' settings.
func (s *Store) openSecrets(ctx context.Context, from source, channels []desk.Channel) error {
	if len(channels) == 0 {
		return nil
	}
	at := make(map[desk.ID]*desk.Channel, len(channels))
	ids := make([]desk.ID, len(channels))
	for i := range channels {
		at[channels[i].ID], ids[i] = &channels[i], channels[i].ID
	}
	sealed, err := list(ctx, s, from, scanSecret, `SELECT channel_id, field, sealed FROM channel_secrets WHERE channel_id IN (?)`, ids)
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	for _, x := range sealed {
		if s.opt.Vault == nil {
			return fmt.Errorf("open %s of channel %s: the store was opened without a vault", x.field, x.channel)
		}
		secret, err := s.opt.Vault.Open(secretPlace(x.channel, x.field), x.sealed)
		if err != nil {
			return fmt.Errorf("open %s of channel %s: %w", x.field, x.channel, err)
		}
		at[x.channel].Settings[x.field] = string(secret)
	}
	return nil
}

// ChannelSecrets tells which secrets a channel has and how they end.
func (s *Store) ChannelSecrets(ctx context.Context, id desk.ID) ([]SecretStatus, error) {
	found, err := list(ctx, s, s.read, into(func(x *SecretStatus) []any {
		return []any{&x.Field, &x.LastFour}
	}), `SELECT field, last_four FROM channel_secrets WHERE channel_id = ? ORDER BY field`, id)
	if err != nil {
		return nil, fmt.Errorf("list secrets of channel %s: %w", id, err)
	}
	return found, nil
}

// ResealAll seals every secret that the first key of next did not seal with that key, and the key's check value with it; all or
// nothing. next must also hold the keys used before. It returns how many secrets it sealed again. Stores opened with the old
// keys alone cannot read them any more.
func (s *Store) ResealAll(ctx context.Context, next *vault.Vault) (resealed int, err error) {
	err = s.write(ctx, func(t *tx) error {
		resealed = 0
		sealed, err := list(t.ctx, s, t, scanSecret, `SELECT channel_id, field, sealed FROM channel_secrets`+s.dialect.forUpdate)
		if err != nil {
			return err
		}
		for _, x := range sealed {
			if vault.SealedBy(x.sealed) == next.KeyID() {
				continue
			}
			if err := reseal(t, next, x); err != nil {
				return fmt.Errorf("%s of channel %s: %w", x.field, x.channel, err)
			}
			resealed++
		}
		check, err := next.Check()
		if err == nil {
			_, err = t.exec(`UPDATE meta SET value = ? WHERE key = ?`, check, vaultCheckKey)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reseal secrets: %w", err)
	}
	return resealed, nil
}

func reseal(t *tx, next *vault.Vault, x sealedSecret) error {
	place := secretPlace(x.channel, x.field)
	secret, err := next.Open(place, x.sealed)
	if err != nil {
		return err
	}
	again, err := next.Seal(place, secret)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE channel_secrets SET sealed = ? WHERE channel_id = ? AND field = ?`, again, x.channel, x.field)
	return err
}
