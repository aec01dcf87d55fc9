-- +goose Up
-- Telephone calls: the set of what a call centre said of each, and the message that shows it, when its ticket is due.
CREATE TABLE calls (
  channel_id  TEXT NOT NULL,
  call_key    TEXT NOT NULL,                     -- the call centre's id of the call
  sender      TEXT NOT NULL DEFAULT '',          -- the customer's conversation; '' while no number is known
  customer    TEXT NOT NULL DEFAULT '',          -- E.164
  contact_id  TEXT NOT NULL DEFAULT '',
  ticket_id   TEXT NOT NULL DEFAULT '',
  message_id  TEXT NOT NULL DEFAULT '',
  state       TEXT NOT NULL,                     -- ringing, answered, ended
  agent_id    TEXT NOT NULL DEFAULT '',
  body        JSONB NOT NULL,                    -- the call with its events, and how its channel wants calls filed
  started_at  BIGINT NOT NULL,
  missed      BOOLEAN NOT NULL DEFAULT FALSE,
  stale_at    BIGINT NOT NULL,                   -- closed by a timer then; 0 when ended
  updated_at  BIGINT NOT NULL,
  PRIMARY KEY (channel_id, call_key)
) WITH (fillfactor = 70);
CREATE INDEX calls_stale ON calls (stale_at) WHERE stale_at > 0;
CREATE INDEX calls_ticket ON calls (ticket_id) WHERE ticket_id <> '';

-- A reply may leave by another way than its ticket's own, and to more people than the customer.
ALTER TABLE deliveries ADD COLUMN means TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN sender TEXT NOT NULL DEFAULT '';    -- the conversation it leaves by; '' is the ticket's
ALTER TABLE deliveries ADD COLUMN to_type TEXT NOT NULL DEFAULT '';   -- '' is who wrote there last
ALTER TABLE deliveries ADD COLUMN to_value TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN to_scope TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN places INTEGER NOT NULL DEFAULT 0;  -- of the conversation's quota that it holds

-- How long and how often may be written into a conversation; its tickets show a copy. And which ticket of another conversation
-- wrote there last: the answer goes to it.
ALTER TABLE senders ADD COLUMN window_closes_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE senders ADD COLUMN window_remaining INTEGER NOT NULL DEFAULT -1;
ALTER TABLE senders ADD COLUMN window_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE senders ADD COLUMN window_at BIGINT NOT NULL DEFAULT 0;   -- when it was told
ALTER TABLE senders ADD COLUMN route_ticket_id TEXT NOT NULL DEFAULT '';
UPDATE senders SET window_closes_at = t.window_closes_at, window_remaining = t.window_remaining FROM tickets t
  WHERE t.id = senders.ticket_id AND (t.window_closes_at > 0 OR t.window_remaining >= 0);

ALTER TABLE tickets ADD COLUMN window_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN window_warn_at BIGINT NOT NULL DEFAULT 0; -- when the agent is warned that the window closes; 0 when he was
ALTER TABLE tickets ADD COLUMN callback_state TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN callback_number TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN callback_due_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX tickets_conversation ON tickets (channel_id, sender) WHERE status IN ('new', 'open', 'waiting', 'resolved');
CREATE INDEX tickets_callback ON tickets (callback_number) WHERE callback_state IN ('due', 'requested');
CREATE INDEX tickets_window_warn ON tickets (window_warn_at) WHERE window_warn_at > 0;

ALTER TABLE agents ADD COLUMN extensions JSONB NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN signature TEXT NOT NULL DEFAULT '';
ALTER TABLE teams ADD COLUMN queues JSONB NOT NULL DEFAULT '[]';
ALTER TABLE teams ADD COLUMN template TEXT NOT NULL DEFAULT '';

-- +goose Down
DROP TABLE calls;
ALTER TABLE deliveries DROP COLUMN means, DROP COLUMN sender, DROP COLUMN to_type, DROP COLUMN to_value, DROP COLUMN to_scope, DROP COLUMN places;
ALTER TABLE senders DROP COLUMN window_closes_at, DROP COLUMN window_remaining, DROP COLUMN window_reason, DROP COLUMN window_at, DROP COLUMN route_ticket_id;
DROP INDEX tickets_conversation;
DROP INDEX tickets_callback;
ALTER TABLE tickets DROP COLUMN window_reason, DROP COLUMN window_warn_at, DROP COLUMN callback_state, DROP COLUMN callback_number, DROP COLUMN callback_due_at;
ALTER TABLE agents DROP COLUMN extensions, DROP COLUMN signature;
ALTER TABLE teams DROP COLUMN queues, DROP COLUMN template;
