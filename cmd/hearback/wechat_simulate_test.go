package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hearback/connectors/wechat/tencent"
	"hearback/desk"
)

// TestSimulateWechatTalksWithARunningGateway plays a customer on the command line: the stand-in, its callbacks and the answer.
func TestSimulateWechatTalksWithARunningGateway(t *testing.T) {
	for _, kind := range []tencent.Kind{tencent.Official, tencent.KF} {
		t.Run(string(kind), func(t *testing.T) {
			g := newGateway(t, "--allow-private-networks")
			address := freeAddress(t)
			w := g.addWechat(kind, "api_base=http://"+address)
			token := g.addAgent("root@example.com", "admin")
			g.start()
			said := "你好 " + desk.NewID()
			done := make(chan struct{})
			go func() {
				defer close(done)
				ticket := ticketOf(t, g.api(token), said)
				answerTo(t, g.api(token), ticket, "您好，请讲")
			}()
			lines := simulate(t, g, w, address, said)
			<-done
			if len(lines) < 2 || lines[0].From != "customer" || lines[0].Text != said || lines[len(lines)-1].Text != "您好，请讲" {
				t.Errorf("the phone printed %+v", lines)
			}
		})
	}
}

// simulate runs the command until one answer came and returns what it printed.
func simulate(t *testing.T, g *gateway, w *wechatHouse, address, said string) (lines []phoneLine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a := w.account
	cmd := exec.CommandContext(ctx, binary, "simulate", "wechat", "--json", "--url", g.base, "--channel", w.channel, "--account", string(a.Kind), "--app-id", a.AppID,
		"--app-secret", a.Secret, "--token", a.Token, "--aes-key", a.AESKey, "--open-kfid", a.OpenKfID, "--api-listen", address, "--say", said, "--replies", "1")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(out); in.Scan(); {
		var l phoneLine
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Errorf("not a line of JSON: %s", in.Text())
		}
		lines = append(lines, l)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("simulate: %v: %s", err, errs.String())
	}
	return lines
}

// freeAddress is an address of the loopback nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
