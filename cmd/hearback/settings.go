package main

import (
	"os"
	"reflect"

	"hearback/configs"
)

// settings are the configuration's keys as flags; a test holds them equal to configs.Config. Environment and file are read by
// configs, so that the order of who wins is told in one place.
type settings struct {
	Listen                   *string `key:"listen" help:"Address to listen on (127.0.0.1:8080)." placeholder:"HOST:PORT"`
	PublicURL                *string `key:"public_url" name:"public-url" help:"Address customers and providers reach it by." placeholder:"URL"`
	Data                     *string `key:"data" help:"Folder for database, attachments and master key (./data)." placeholder:"DIR"`
	Database                 *string `key:"database" help:"sqlite or postgres://…" placeholder:"URL"`
	Redis                    *string `key:"redis" help:"embedded or redis://…" placeholder:"URL"`
	MetricsListen            *string `key:"metrics_listen" help:"Own address for /metrics." placeholder:"HOST:PORT"`
	MasterKey                *string `key:"master_key" hidden:""`
	TimeZone                 *string `key:"time_zone" help:"Zone of ticket numbers' days." placeholder:"ZONE"`
	AllowPrivateNetworks     *bool   `key:"allow_private_networks" help:"Let channels talk to private addresses."`
	TrustedProxies           *string `key:"trusted_proxies" help:"Reverse proxies, comma separated." placeholder:"NETS"`
	Demo                     *bool   `key:"demo" help:"Add a demo team, channel and shop page on first start."`
	LogLevel                 *string `key:"log.level" help:"debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat                *string `key:"log.format" help:"text or json." placeholder:"FORMAT"`
	RoutingCapacity          *string `key:"routing.capacity" hidden:""`
	RoutingGrace             *string `key:"routing.grace" hidden:""`
	RoutingLease             *string `key:"routing.lease" hidden:""`
	SLAFirstResponse         *string `key:"sla.first_response" name:"sla-first-response" hidden:""`
	SLAUrgentFirstResponse   *string `key:"sla.urgent_first_response" name:"sla-urgent-first-response" hidden:""`
	SLACriticalFirstResponse *string `key:"sla.critical_first_response" name:"sla-critical-first-response" hidden:""`
	IntakeBatch              *string `key:"intake.batch" hidden:""`
	IntakeLease              *string `key:"intake.lease" hidden:""`
	IntakeMaxAttempts        *string `key:"intake.max_attempts" hidden:""`
	DeliveryWorkers          *string `key:"delivery.workers" hidden:""`
	DeliveryLease            *string `key:"delivery.lease" hidden:""`
	DeliveryGiveUp           *string `key:"delivery.give_up" hidden:""`
}

// given returns the flags that were set, by configuration key.
func (s *settings) given() map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); !f.IsNil() {
			value := "true"
			if e := f.Elem(); e.Kind() == reflect.String {
				value = e.String()
			} else if !e.Bool() {
				value = "false"
			}
			out[v.Type().Field(i).Tag.Get("key")] = value
		}
	}
	return out
}

// load reads the configuration from file, environment and flags.
func (g *globals) load() (configs.Config, error) {
	return configs.Load(g.ConfigFile, os.Getenv, g.given())
}

type configCmd struct {
	Example configExample `cmd:"" help:"Print a configuration file with every key and its default."`
	Check   configCheck   `cmd:"" help:"Read the configuration and say what is wrong with it."`
}

type configExample struct{}

// Run prints hearback.example.toml.
func (configExample) Run() error {
	_, err := os.Stdout.WriteString(configs.Example())
	return err
}

type configCheck struct{}

// Run reads the configuration and nothing else.
func (configCheck) Run(g *globals) error {
	if _, err := g.load(); err != nil {
		return err
	}
	g.show(map[string]bool{"ok": true}, "The configuration is fine.")
	return nil
}
