-- +goose Up
-- Times are UTC unix milliseconds (0 = not set), ids UUIDv7 text ('' = none), states words.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE channels (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL,
  enabled    BOOLEAN NOT NULL,
  team_id    TEXT NOT NULL DEFAULT '',
  settings   TEXT NOT NULL,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE channel_secrets (
  channel_id TEXT NOT NULL,
  field      TEXT NOT NULL,
  sealed     TEXT NOT NULL,
  last_four  TEXT NOT NULL,
  PRIMARY KEY (channel_id, field)
);
CREATE TABLE channel_cursors (
  channel_id TEXT PRIMARY KEY,
  cursor     BLOB NOT NULL
);
CREATE TABLE channel_health (
  channel_id      TEXT PRIMARY KEY,
  last_success_at BIGINT NOT NULL DEFAULT 0,
  last_failure_at BIGINT NOT NULL DEFAULT 0,
  last_error      TEXT NOT NULL DEFAULT '',
  held            BOOLEAN NOT NULL DEFAULT 0
);

-- The last number each person on one channel was given. Apart from senders, whose rows are held while messages are filed:
-- taking the next message into safety must not wait for that.
CREATE TABLE sender_seqs (
  channel_id TEXT NOT NULL,
  sender     TEXT NOT NULL,
  seq        BIGINT NOT NULL,
  PRIMARY KEY (channel_id, sender)
);

-- One row per person on one channel: who he is and his current ticket. Whoever files holds it.
CREATE TABLE senders (
  channel_id TEXT NOT NULL,
  sender     TEXT NOT NULL,
  contact_id TEXT NOT NULL DEFAULT '',
  ticket_id  TEXT NOT NULL DEFAULT '',
  from_type  TEXT NOT NULL DEFAULT '',         -- the identity he last wrote by: replies go there
  from_value TEXT NOT NULL DEFAULT '',
  from_scope TEXT NOT NULL DEFAULT '',
  from_verified BOOLEAN NOT NULL DEFAULT 0,
  PRIMARY KEY (channel_id, sender)
);

-- Everything that arrived, raw, never changed. What waits to be filed is a row of inbox_due, what became of it one of
-- inbox_outcomes: settling a message changes no index of this table.
CREATE TABLE inbox (
  id          TEXT PRIMARY KEY,
  channel_id  TEXT NOT NULL,
  kind        TEXT NOT NULL,
  type        TEXT NOT NULL,
  external_id TEXT NOT NULL,
  sender      TEXT NOT NULL,
  seq         BIGINT NOT NULL,
  digest      TEXT NOT NULL,
  meta        TEXT NOT NULL,
  raw         BLOB,
  raw_blob    TEXT NOT NULL DEFAULT '',
  received_at BIGINT NOT NULL,
  UNIQUE (channel_id, external_id)
);
CREATE INDEX inbox_sender ON inbox (channel_id, sender, seq);
CREATE TABLE inbox_due (
  channel_id      TEXT NOT NULL,
  sender          TEXT NOT NULL,
  seq             BIGINT NOT NULL,
  id              TEXT NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  attempts        INTEGER NOT NULL,
  reason          TEXT NOT NULL DEFAULT '',      -- why the last attempt failed
  PRIMARY KEY (channel_id, sender, seq)
);
CREATE INDEX inbox_due_next ON inbox_due (next_attempt_at, seq);
CREATE TABLE inbox_outcomes (
  id         TEXT PRIMARY KEY,
  state      TEXT NOT NULL,                      -- done, dead
  outcome    TEXT NOT NULL,
  reason     TEXT NOT NULL,
  ticket_id  TEXT NOT NULL,
  message_id TEXT NOT NULL,
  attempts   INTEGER NOT NULL
);
CREATE INDEX inbox_outcomes_rare ON inbox_outcomes (outcome, id) WHERE outcome NOT IN ('ticket', 'appended', 'updated');

-- What was shown to a sender beside his own messages, in the same numbering.
CREATE TABLE sender_log (
  channel_id TEXT NOT NULL,
  sender     TEXT NOT NULL,
  seq        BIGINT NOT NULL,
  id         TEXT NOT NULL,
  body       BLOB NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (channel_id, sender, seq),
  UNIQUE (channel_id, sender, id)
);

CREATE TABLE contacts (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  level      TEXT NOT NULL DEFAULT '',
  language   TEXT NOT NULL DEFAULT '',
  company    TEXT NOT NULL DEFAULT '',
  note       TEXT NOT NULL DEFAULT '',
  fields     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE identities (
  type       TEXT NOT NULL,
  value      TEXT NOT NULL,
  scope      TEXT NOT NULL DEFAULT '',
  contact_id TEXT NOT NULL,
  verified   BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (type, value, scope)
);
CREATE INDEX identities_contact ON identities (contact_id);

CREATE TABLE counters (
  name TEXT PRIMARY KEY,                       -- ticket numbers: GD20260101
  n    BIGINT NOT NULL
);

CREATE TABLE tickets (
  id                    TEXT PRIMARY KEY,
  number                TEXT NOT NULL UNIQUE,
  status                TEXT NOT NULL,
  priority              TEXT NOT NULL,
  subject               TEXT NOT NULL,
  channel_id            TEXT NOT NULL,
  channel_kind          TEXT NOT NULL,
  sender                TEXT NOT NULL,
  contact_id            TEXT NOT NULL,
  assignee_id           TEXT NOT NULL DEFAULT '',
  assign_epoch          BIGINT NOT NULL DEFAULT 0,
  team_id               TEXT NOT NULL DEFAULT '',
  last_agent_id         TEXT NOT NULL DEFAULT '',
  tags                  TEXT NOT NULL,
  fields                TEXT NOT NULL,
  version               BIGINT NOT NULL,
  last_message_at       BIGINT NOT NULL DEFAULT 0,
  last_message_text     TEXT NOT NULL DEFAULT '',
  last_message_by       TEXT NOT NULL DEFAULT '',
  first_reply_at        BIGINT NOT NULL DEFAULT 0,
  first_response_due_at BIGINT NOT NULL DEFAULT 0,
  resolution_due_at     BIGINT NOT NULL DEFAULT 0,
  window_closes_at      BIGINT NOT NULL DEFAULT 0,
  window_remaining      INTEGER NOT NULL DEFAULT -1,
  waiting_since         BIGINT NOT NULL DEFAULT 0,  -- the oldest customer message nobody answered yet; a customer message sets it when 0, a reply clears it
  last_in_seq           BIGINT NOT NULL DEFAULT 0,  -- seq of the last customer message, for the unread dot
  linked_ticket_id      TEXT NOT NULL DEFAULT '',
  snoozed_until         BIGINT NOT NULL DEFAULT 0,
  created_at            BIGINT NOT NULL,
  updated_at            BIGINT NOT NULL,
  resolved_at           BIGINT NOT NULL DEFAULT 0,
  closed_at             BIGINT NOT NULL DEFAULT 0
);
-- No index holds a column that every message changes (updated_at, version): adding a message touches no index of its ticket.
CREATE INDEX tickets_assignee ON tickets (assignee_id, status);
CREATE INDEX tickets_queue ON tickets (team_id, created_at) WHERE status = 'new';
CREATE INDEX tickets_status ON tickets (status, created_at);
CREATE INDEX tickets_contact ON tickets (contact_id, created_at);
CREATE INDEX tickets_active ON tickets (id) WHERE status IN ('new', 'open', 'waiting');
CREATE INDEX tickets_epoch ON tickets (assign_epoch) WHERE assign_epoch > 0;

CREATE TABLE messages (
  id              TEXT PRIMARY KEY,
  ticket_id       TEXT NOT NULL,
  seq             BIGINT NOT NULL,
  direction       TEXT NOT NULL,
  author_kind     TEXT NOT NULL,
  author_id       TEXT NOT NULL,
  author_name     TEXT NOT NULL,
  text            TEXT NOT NULL,
  html            TEXT NOT NULL DEFAULT '',
  quoted          TEXT NOT NULL DEFAULT '',
  class           TEXT NOT NULL DEFAULT '',
  extra           TEXT NOT NULL,              -- event, call, repairs: what only the timeline needs
  channel_id      TEXT NOT NULL DEFAULT '',
  external_id     TEXT NOT NULL DEFAULT '',
  inbox_id        TEXT,                        -- the envelope it came from
  idempotency_key TEXT,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  UNIQUE (ticket_id, seq)
);
CREATE UNIQUE INDEX messages_idempotency ON messages (ticket_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Keys under which later messages find a conversation, and under which a message is changed in place.
CREATE TABLE thread_keys (
  channel_id TEXT NOT NULL,
  key        TEXT NOT NULL,
  ticket_id  TEXT NOT NULL,
  message_id TEXT NOT NULL,
  PRIMARY KEY (channel_id, key)
);

CREATE TABLE attachments (
  id         TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,                    -- '' while an upload waits for its message
  ticket_id  TEXT NOT NULL,
  name       TEXT NOT NULL,
  type       TEXT NOT NULL,
  size       BIGINT NOT NULL,
  blob       TEXT NOT NULL,
  inline     BOOLEAN NOT NULL,
  content_id TEXT NOT NULL DEFAULT '',
  state      TEXT NOT NULL,                    -- stored, pending, failed
  ref        TEXT NOT NULL DEFAULT '',
  hint       TEXT NOT NULL DEFAULT '',
  uploaded_by TEXT NOT NULL DEFAULT '',
  expires_at BIGINT NOT NULL DEFAULT 0,        -- when ref stops working
  attempts   INTEGER NOT NULL DEFAULT 0,
  next_attempt_at BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL
);
CREATE INDEX attachments_message ON attachments (message_id);
CREATE INDEX attachments_due ON attachments (next_attempt_at) WHERE state = 'pending';

CREATE TABLE deliveries (
  id              TEXT PRIMARY KEY,
  message_id      TEXT NOT NULL UNIQUE,
  ticket_id       TEXT NOT NULL,
  channel_id      TEXT NOT NULL,
  seq             BIGINT NOT NULL,             -- the message's: replies of a ticket leave in this order
  external_id     TEXT NOT NULL,
  provider_id     TEXT NOT NULL DEFAULT '',
  automatic       BOOLEAN NOT NULL,
  state           TEXT NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at BIGINT NOT NULL,
  give_up_at      BIGINT NOT NULL,
  parts_done      INTEGER NOT NULL DEFAULT 0,
  code            TEXT NOT NULL DEFAULT '',
  hint            TEXT NOT NULL DEFAULT '',
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (next_attempt_at, id) WHERE state IN ('queued', 'sending');
CREATE INDEX deliveries_held ON deliveries (channel_id) WHERE state = 'held';
CREATE INDEX deliveries_waiting ON deliveries (ticket_id, seq) WHERE state IN ('queued', 'sending', 'held');
CREATE INDEX deliveries_external ON deliveries (channel_id, external_id);
CREATE INDEX deliveries_provider ON deliveries (channel_id, provider_id) WHERE provider_id <> '';

CREATE TABLE decisions (
  id         TEXT PRIMARY KEY,
  ticket_id  TEXT NOT NULL,
  kind       TEXT NOT NULL,                    -- classified, assigned, queued, requeued, released
  at         BIGINT NOT NULL,
  detail     TEXT NOT NULL
);
CREATE INDEX decisions_ticket ON decisions (ticket_id, id);

CREATE TABLE teams (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE agents (
  id            TEXT PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  role          TEXT NOT NULL,
  skills        TEXT NOT NULL,
  capacity      INTEGER NOT NULL,
  bot           BOOLEAN NOT NULL,
  disabled      BOOLEAN NOT NULL,
  language      TEXT NOT NULL DEFAULT '',
  availability  TEXT NOT NULL DEFAULT 'available',
  password_hash TEXT NOT NULL DEFAULT '',
  must_change   BOOLEAN NOT NULL DEFAULT 0,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);
CREATE TABLE agent_teams (
  agent_id TEXT NOT NULL,
  team_id  TEXT NOT NULL,
  PRIMARY KEY (agent_id, team_id)
);
CREATE TABLE rules (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  position   INTEGER NOT NULL,
  enabled    BOOLEAN NOT NULL,
  body       TEXT NOT NULL,                   -- all, any, not, channels, team, priority, tags
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE sessions (
  token_hash  TEXT PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  agent_id    TEXT NOT NULL,
  user_agent  TEXT NOT NULL,
  address     TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  seen_at     BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL
);
CREATE INDEX sessions_agent ON sessions (agent_id);
CREATE TABLE tokens (
  token_hash TEXT PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  agent_id   TEXT NOT NULL,
  name       TEXT NOT NULL,
  last_four  TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE read_marks (
  agent_id  TEXT NOT NULL,
  ticket_id TEXT NOT NULL,
  seq       BIGINT NOT NULL,
  PRIMARY KEY (agent_id, ticket_id)
);

CREATE TABLE jobs (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  dedupe_key  TEXT UNIQUE,
  payload     TEXT NOT NULL,
  run_at      BIGINT NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  max         INTEGER NOT NULL,
  deadline_at BIGINT NOT NULL DEFAULT 0,
  state       TEXT NOT NULL,                   -- waiting, done, dead
  last_error  TEXT NOT NULL DEFAULT '',
  created_at  BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'waiting';
CREATE TABLE leases (
  name     TEXT PRIMARY KEY,
  holder   TEXT NOT NULL,
  until_at BIGINT NOT NULL
);
CREATE TABLE audit (
  id       TEXT PRIMARY KEY,
  at       BIGINT NOT NULL,
  actor_id TEXT NOT NULL,
  action   TEXT NOT NULL,
  object   TEXT NOT NULL,
  detail   TEXT NOT NULL
);

-- Words of messages: overlapping bigrams of Han runs and folded Latin words; single characters apart.
-- The index itself holds no text; search_rows says whose words each of its rows are.
CREATE TABLE search_rows (
  n          INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  ticket_id  TEXT NOT NULL
);
CREATE VIRTUAL TABLE search USING fts5 (words, singles, content = '', contentless_delete = 1, tokenize = 'unicode61');

-- +goose Down
DROP TABLE search;
DROP TABLE inbox_outcomes;
DROP TABLE inbox_due;
DROP TABLE search_rows;
DROP TABLE audit;
DROP TABLE leases;
DROP TABLE jobs;
DROP TABLE read_marks;
DROP TABLE tokens;
DROP TABLE sessions;
DROP TABLE rules;
DROP TABLE agent_teams;
DROP TABLE agents;
DROP TABLE teams;
DROP TABLE decisions;
DROP TABLE deliveries;
DROP TABLE attachments;
DROP TABLE thread_keys;
DROP TABLE messages;
DROP TABLE tickets;
DROP TABLE counters;
DROP TABLE identities;
DROP TABLE contacts;
DROP TABLE sender_log;
DROP TABLE inbox;
DROP TABLE senders;
DROP TABLE sender_seqs;
DROP TABLE channel_health;
DROP TABLE channel_cursors;
DROP TABLE channel_secrets;
DROP TABLE channels;
DROP TABLE meta;
