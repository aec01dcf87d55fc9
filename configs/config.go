package configs

import "time"

// Config is everything an operator can set. The toml tag is the key, the help tag what hearback.example.toml says of it.
type Config struct {
	Listen               string   `toml:"listen" help:"Address the gateway listens on."`
	PublicURL            string   `toml:"public_url" help:"Address customers and providers reach it by, without a trailing slash. Empty: http:// plus the listen address."`
	Data                 string   `toml:"data" help:"Folder for the database, attachments and the master key."`
	Database             string   `toml:"database" help:"\"sqlite\" (a file in the data folder), \"sqlite:PATH\" or \"postgres://user:password@host/name\"."`
	Redis                string   `toml:"redis" help:"\"embedded\", \"redis://host:6379/0\", \"rediss://…\", \"redis+sentinel://a,b/master\" or \"redis+cluster://a,b,c\"."`
	MetricsListen        string   `toml:"metrics_listen" help:"Own address for /metrics, e.g. 127.0.0.1:9090. Empty: on the main address, for administrators only."`
	MasterKey            string   `toml:"master_key" help:"Key that seals credentials, 32 bytes in base64; several separated by commas, the first one seals. Better given as HEARBACK_MASTER_KEY or HEARBACK_MASTER_KEY_FILE. Empty: the file master.key in the data folder, made on first start." secret:"true"`
	TimeZone             string   `toml:"time_zone" help:"Zone in which a new day begins for ticket numbers, e.g. Asia/Shanghai. Empty: the machine's."`
	AllowPrivateNetworks bool     `toml:"allow_private_networks" help:"Let channels talk to private addresses (own mail server, tests). Off protects against server-side request forgery."`
	TrustedProxies       []string `toml:"trusted_proxies" help:"Addresses or networks of reverse proxies whose X-Forwarded-For is believed, e.g. [\"10.0.0.0/8\"]."`
	Demo                 bool     `toml:"demo" help:"Add a demo team, channel and shop page on first start."`
	Log                  Log      `toml:"log"`
	Routing              Routing  `toml:"routing"`
	SLA                  SLA      `toml:"sla"`
	Intake               Intake   `toml:"intake"`
	Delivery             Delivery `toml:"delivery"`
}

// Log says what is written to standard error.
type Log struct {
	Level  string `toml:"level" help:"debug, info, warn or error." oneof:"debug,info,warn,error"`
	Format string `toml:"format" help:"text or json." oneof:"text,json"`
}

// Routing tunes who gets which ticket.
type Routing struct {
	Capacity int           `toml:"capacity" help:"Tickets an agent works on at once, unless his profile says otherwise." min:"1"`
	Grace    time.Duration `toml:"grace" help:"How long an agent may be disconnected before his waiting customers go back to the queue." min:"1"`
	Lease    time.Duration `toml:"lease" help:"How long an agent counts as present after his browser's last heartbeat (10 s apart)." min:"1"`
}

// SLA sets deadlines of new tickets.
type SLA struct {
	FirstResponse         time.Duration `toml:"first_response" help:"Time to the first answer."`
	UrgentFirstResponse   time.Duration `toml:"urgent_first_response" help:"The same for urgent tickets."`
	CriticalFirstResponse time.Duration `toml:"critical_first_response" help:"The same for critical tickets."`
}

// Intake tunes the inbound belt.
type Intake struct {
	Batch       int           `toml:"batch" help:"Envelopes filed in one transaction at most." min:"1"`
	Lease       time.Duration `toml:"lease" help:"How long a node may take for an envelope before another one tries." min:"1"`
	MaxAttempts int           `toml:"max_attempts" help:"Tries before an envelope that cannot be understood is put aside." min:"1"`
}

// Delivery tunes the outbound belt.
type Delivery struct {
	Workers int           `toml:"workers" help:"Replies sent at the same time." min:"1"`
	Lease   time.Duration `toml:"lease" help:"How long a node may take for a reply before another one tries; sending times out earlier." min:"1"`
	GiveUp  time.Duration `toml:"give_up" help:"How long a reply is retried before it counts as failed." min:"1"`
}

// Default is the configuration of an empty file: one machine, nothing to install.
func Default() Config {
	return Config{
		Listen:   "127.0.0.1:8080",
		Data:     "./data",
		Database: "sqlite",
		Redis:    "embedded",
		Log:      Log{Level: "info", Format: "text"},
		Routing:  Routing{Capacity: 10, Grace: time.Minute, Lease: 30 * time.Second},
		SLA:      SLA{FirstResponse: 4 * time.Hour, UrgentFirstResponse: 2 * time.Hour, CriticalFirstResponse: time.Hour},
		Intake:   Intake{Batch: 256, Lease: 10 * time.Second, MaxAttempts: 8},
		Delivery: Delivery{Workers: 16, Lease: 90 * time.Second, GiveUp: 24 * time.Hour},
	}
}
