// Command corpora measures how well mail is read: it runs the reader over a folder of real mails with known answers and prints,
// per corpus and check, how many cases pass and which fail.
//
//	go run ./cmd/corpora [--json] DIR
//
// DIR holds <corpus>/<case>.json beside <case>.eml, .txt or .html. Exit status 1: DIR cannot be read; 2: wrong usage. Failing
// cases are a result, not an error.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	flags := flag.NewFlagSet("corpora", flag.ExitOnError)
	asJSON := flags.Bool("json", false, "print JSON")
	only := flags.String("only", "", "run this corpus alone")
	verbose := flags.String("v", "", "print what was wanted and what came out for failing cases of this check")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: corpora [--json] [--only CORPUS] [--v CHECK] DIR")
		flags.PrintDefaults()
	}
	dir := ""
	if flags.Parse(os.Args[1:]) == nil && flags.NArg() > 0 {
		dir = flags.Arg(0)
		_ = flags.Parse(flags.Args()[1:]) // flags may follow the folder; ExitOnError ends on a wrong one
	}
	if dir == "" || flags.NArg() > 0 {
		flags.Usage()
		os.Exit(2)
	}
	if err := run(os.Stdout, dir, *asJSON, *only, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "corpora:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, dir string, asJSON bool, only, verbose string) error {
	cases, err := load(dir, only)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return fmt.Errorf("read corpora: no cases in %s; it must hold <corpus>/<case>.json", dir)
	}
	results := measure(cases)
	if verbose != "" {
		explain(out, results, verbose)
	}
	report := summarize(results)
	if asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	printTable(out, report)
	return nil
}
