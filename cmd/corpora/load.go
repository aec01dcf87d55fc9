package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// A testCase is one input with what is known about it.
type testCase struct {
	Corpus    string      `json:"corpus"`
	Name      string      `json:"case"`
	Input     string      `json:"input"`
	InputKind string      `json:"input_kind"` // rfc822, text_body, html_body
	Kind      *string     `json:"kind"`
	Expect    expectation `json:"expect"`
	Derived   derived     `json:"derived"`
	Oracle    oracle      `json:"oracle"`
	Newline   string      `json:"newline"` // CR: as old Macs wrote them
	raw       []byte
}

// expectation is what the peer's own tests say; only the keys compared here.
type expectation struct {
	ReplyText     *string  `json:"reply_text"`
	ReplyCompact  *string  `json:"reply_text_whitespace_removed"`
	VisibleText   *string  `json:"visible_text"`
	FirstFragment *string  `json:"first_fragment"`
	ReplyContains []string `json:"reply_contains"`
	ReplyNot      []string `json:"reply_not_contains"`
	Kind          *string  `json:"kind"`
	Bounces       []bounce `json:"bounces"`
	Status        *string  `json:"status"`
}

// derived is what the peer's own library makes of the input.
type derived struct {
	Visible   *string `json:"visible_text"`
	Latest    *string `json:"latest_reply"`
	Fragments []struct {
		Text string `json:"text"`
	} `json:"fragments"`
}

type bounce struct {
	Index     int    `json:"index"`
	Status    string `json:"status"`
	ReplyCode string `json:"reply_code"`
	Reason    string `json:"reason"`
}

// oracle is what independent parsers agree on.
type oracle struct {
	Consensus struct {
		Subject   *agreed[string]    `json:"subject"`
		From      *agreed[[]address] `json:"from"`
		To        *agreed[[]address] `json:"to"`
		Cc        *agreed[[]address] `json:"cc"`
		MessageID *agreed[[]string]  `json:"message_id"`
		InReplyTo *agreed[[]string]  `json:"in_reply_to"`
		Refs      *agreed[[]string]  `json:"references"`
		Date      *agreed[float64]   `json:"date"`
		Text      *agreed[string]    `json:"text"`
	} `json:"consensus"`
	Digests []string `json:"attachment_sha256_agreed_by_2"`
}

type agreed[T any] struct {
	Value T `json:"value"`
}

type address struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

// load reads all cases below dir, in the order of their names.
func load(dir, only string) ([]testCase, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil {
		return nil, fmt.Errorf("read corpora: %w", err)
	}
	sort.Strings(files)
	var cases []testCase
	for _, file := range files {
		if only != "" && filepath.Base(filepath.Dir(file)) != only {
			continue
		}
		c, err := loadCase(file)
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func loadCase(file string) (testCase, error) {
	var c testCase
	data, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("read case: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("read case %s: %w", file, err)
	}
	if c.raw, err = os.ReadFile(filepath.Join(filepath.Dir(file), c.Input)); err != nil {
		return c, fmt.Errorf("read input: %w", err)
	}
	return c, nil
}
