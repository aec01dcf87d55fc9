// Hearback (回音) is an omnichannel gateway for support teams: customers write by any channel, agents answer in one console.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// version is stamped by the Makefile.
var version = "dev"

// cli is every command and flag; kong makes the help text of it.
type cli struct {
	globals
	Serve    serveCmd    `cmd:"" default:"withargs" help:"Run the gateway (the default)."`
	Agent    agentCmd    `cmd:"" help:"People who answer."`
	Token    tokenCmd    `cmd:"" help:"API tokens."`
	Channel  channelCmd  `cmd:"" help:"Mailboxes, accounts and widgets that customers reach you by."`
	Simulate simulateCmd `cmd:"" help:"Play the outside world against a running gateway."`
	Load     loadCmd     `cmd:"" help:"Generate load against a running gateway and measure it."`
	Doctor   doctorCmd   `cmd:"" help:"Examine the installation and say what is wrong."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database up to this version (serve does it too)."`
	Secrets  secretsCmd  `cmd:"" help:"The master key and what it seals."`
	Config   configCmd   `cmd:"" help:"The configuration file."`
	Openapi  openapiCmd  `cmd:"" help:"Print the HTTP API's description (OpenAPI 3.1)."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// globals are the flags every command takes.
type globals struct {
	ConfigFile string `name:"config" help:"Configuration file (TOML)." env:"HEARBACK_CONFIG" placeholder:"FILE"`
	JSON       bool   `name:"json" help:"Print JSON."`
	settings
}

// commandName is the path of the command that was called, as kong writes it: "channel enable <id>".
type commandName string

// A usageError is a mistake in how a command was called: exit status 2.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

func main() {
	var c cli
	parser, err := kong.New(&c, kong.Name("hearback"), kong.Description("Hearback (回音): every customer hears back."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
	if err != nil {
		panic(err) // a mistake in the structs above, found by the first test
	}
	ctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "hearback: "+err.Error()+"; hearback --help lists what there is")
		os.Exit(2)
	}
	if err := ctx.Run(&c.globals, commandName(ctx.Command())); err != nil {
		fmt.Fprintln(os.Stderr, "hearback: "+strings.TrimSpace(err.Error()))
		if errors.As(err, new(usageError)) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// show prints v as JSON when asked to, else text.
func (g *globals) show(v any, text string) {
	if !g.JSON {
		fmt.Println(text)
		return
	}
	printJSON(v)
}

func printJSON(v any) {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false) // snippets are to be pasted as they are
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		panic(err) // plain structs of this package
	}
}

// printLine prints v as one line of JSON, for programs that read line by line.
func printLine(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of this package
	}
	fmt.Println(string(b))
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(g *globals) error {
	g.show(map[string]string{"version": version}, version)
	return nil
}
