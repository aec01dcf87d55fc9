package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"hearback/connectors/wechat/tencent"
)

// simulateWechat plays Tencent and one customer against a running gateway. The channel's api_base must be the address given with
// --api-listen, and the gateway must run with --allow-private-networks.
type simulateWechat struct {
	URL       string        `help:"Address of the gateway." default:"http://127.0.0.1:8080"`
	Channel   string        `help:"WeChat channel (hearback channel list)." required:""`
	Account   string        `help:"official, kf or miniprogram." enum:"official,kf,miniprogram" default:"official"`
	AppID     string        `name:"app-id" help:"The channel's app_id (kf: the corporation's id)." required:""`
	AppSecret string        `name:"app-secret" help:"The channel's app_secret." env:"HEARBACK_WECHAT_SECRET" required:""`
	Token     string        `help:"The channel's token." env:"HEARBACK_WECHAT_TOKEN" required:""`
	AESKey    string        `name:"aes-key" help:"The channel's encoding_aes_key." env:"HEARBACK_WECHAT_AES_KEY"`
	Mode      string        `help:"plain, compatible or safe." enum:"plain,compatible,safe" default:"safe"`
	OpenKfID  string        `name:"open-kfid" help:"The channel's open_kfid."`
	APIListen string        `name:"api-listen" help:"Where the stand-in for Tencent answers; the channel's api_base is http:// and this." default:"127.0.0.1:8089"`
	Customer  string        `help:"Open id of the customer. Empty: somebody new."`
	Say       []string      `help:"Send this instead of reading lines; may be repeated. /image, /voice and the like work too." sep:"none"`
	Replies   int           `help:"After --say: wait for so many answers." default:"0"`
	Wait      time.Duration `help:"How long to wait for answers." default:"1m"`
}

// Run starts the stand-in, verifies the address as Tencent does, talks and leaves.
func (s *simulateWechat) Run(g *globals) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tc, err := tencent.New(tencent.Options{Accounts: []tencent.Account{s.account()}, Pause: time.Second})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", s.APIListen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with --api-listen and set the channel's api_base to it", s.APIListen, err)
	}
	server := &http.Server{Handler: tc, ReadHeaderTimeout: 10 * time.Second}
	defer server.Close()
	go server.Serve(ln)
	if err := tc.Verify(ctx, s.AppID); err != nil {
		return fmt.Errorf("the channel did not pass Tencent's verification: %w; compare app id, token and key with the channel's", err)
	}
	c := tc.Customer(s.AppID, s.Customer)
	if !g.JSON {
		fmt.Printf("customer %s; the stand-in answers on http://%s\n", c.OpenID, ln.Addr())
		if len(s.Say) == 0 {
			fmt.Println(wechatHelp)
		}
	}
	printed := make(chan struct{})
	go func() { defer close(printed); printPhone(ctx, g, c) }()
	defer func() { cancel(); <-printed }()
	for line := range sayLines(s.Say) {
		if err := s.act(ctx, c, line); err != nil {
			return err
		}
	}
	return s.await(ctx, c)
}

func (s *simulateWechat) account() tencent.Account {
	return tencent.Account{Kind: tencent.Kind(s.Account), AppID: s.AppID, Secret: s.AppSecret, Token: s.Token, AESKey: s.AESKey, Mode: s.Mode,
		OpenKfID: s.OpenKfID, Callback: strings.TrimSuffix(s.URL, "/") + "/c/" + s.Channel}
}

const wechatHelp = `lines are sent as they are; /image [FILE], /voice [WORDS], /location, /subscribe, /unsubscribe, /scan KEY, /click KEY, /enter, /choose ID WORDS do the rest`

// act does what one line says.
func (s *simulateWechat) act(ctx context.Context, c *tencent.Customer, line string) (err error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "/image":
		picture := tencent.PNG
		if rest != "" {
			if picture, err = os.ReadFile(rest); err != nil {
				return err
			}
		}
		_, err = c.SendImage(ctx, "picture", picture)
	case "/voice":
		_, err = c.SendVoice(ctx, tencent.AMR, rest)
	case "/location":
		_, err = c.Location(ctx, 31.239703, 121.499718, "上海市浦东新区陆家嘴环路 1000 号")
	case "/subscribe":
		err = c.Subscribe(ctx, rest)
	case "/unsubscribe":
		err = c.Unsubscribe(ctx)
	case "/scan":
		err = c.Scan(ctx, rest)
	case "/click":
		err = c.Click(ctx, rest)
	case "/enter":
		if s.Account == "kf" {
			err = c.Enter(ctx, "simulate")
		} else {
			err = c.EnterChat(ctx, "simulate")
		}
	case "/choose":
		id, words, _ := strings.Cut(rest, " ")
		_, err = c.Choose(ctx, id, words)
	default:
		_, err = c.Say(ctx, line)
	}
	if errors.Is(err, tencent.ErrNotAcknowledged) {
		return fmt.Errorf("%w in three deliveries: is the channel enabled, and are app id, token and key the same?", err)
	}
	return err
}

// await waits for the wanted number of answers.
func (s *simulateWechat) await(ctx context.Context, c *tencent.Customer) error {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	if _, err := c.Await(ctx, func([]tencent.Shown) bool { return len(c.Answers()) >= s.Replies }); err != nil {
		return fmt.Errorf("%d of %d answers came within %s", len(c.Answers()), s.Replies, s.Wait)
	}
	return nil
}

// A phoneLine is one line of the phone as it is printed with --json.
type phoneLine struct {
	At    time.Time        `json:"at"`
	From  string           `json:"from"`
	Type  string           `json:"type"`
	Text  string           `json:"text,omitempty"`
	Title string           `json:"title,omitempty"`
	URL   string           `json:"url,omitempty"`
	Bytes int              `json:"bytes,omitempty"`
	Menu  []tencent.Choice `json:"menu,omitempty"`
}

// printPhone prints what the phone shows as it comes, until ctx ends.
func printPhone(ctx context.Context, g *globals, c *tencent.Customer) {
	for n := 0; ; {
		lines, err := c.Await(ctx, func(all []tencent.Shown) bool { return len(all) > n })
		for _, s := range lines[n:] {
			l := phoneLine{s.At, s.From, s.Type, s.Text, s.Title, s.URL, len(s.Data), s.Menu}
			if g.JSON {
				b, _ := json.Marshal(l)
				fmt.Println(string(b))
				continue
			}
			fmt.Printf("%s %-8s %-6s %s %s %s\n", l.At.Format("15:04:05"), l.From, l.Type, l.Title, l.Text, l.URL)
		}
		if n = len(lines); err != nil {
			return
		}
	}
}

// sayLines yields what to say: the given lines, or standard input line by line.
func sayLines(say []string) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for _, line := range say {
			out <- line
		}
		if len(say) > 0 {
			return
		}
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if line := strings.TrimSpace(in.Text()); line != "" {
				out <- line
			}
		}
	}()
	return out
}
