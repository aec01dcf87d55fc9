package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"hearback/auth"
	"hearback/configs"
	"hearback/desk"
	"hearback/ticketstore"
)

type agentCmd struct {
	Add      agentAdd      `cmd:"" help:"Add a person."`
	List     agentList     `cmd:"" help:"List people."`
	Disable  agentDisable  `cmd:"" help:"Lock a person out; what he wrote stays."`
	Password agentPassword `cmd:"" help:"Set a person's password."`
}

type agentAdd struct {
	Email         string   `help:"Address to log in with." required:""`
	Name          string   `help:"Name customers and colleagues see." required:""`
	Role          string   `help:"admin, supervisor or agent." enum:"admin,supervisor,agent" default:"agent"`
	Team          []string `help:"Team (name or id; made when there is none of that name); may be repeated."`
	Skill         []string `help:"Skill; may be repeated."`
	Capacity      int      `help:"Tickets at once; 0: the configured default."`
	PasswordStdin bool     `help:"Read the password from standard input; without it a one-time password is made and printed."`
}

// An agentView is a person as the command line shows him.
type agentView struct {
	ID       desk.ID   `json:"id"`
	Email    string    `json:"email"`
	Name     string    `json:"name"`
	Role     desk.Role `json:"role"`
	Teams    []string  `json:"teams"`
	Skills   []string  `json:"skills"`
	Capacity int       `json:"capacity"`
	Disabled bool      `json:"disabled"`
	Password string    `json:"password,omitempty"` // one-time, shown this once
}

// Run adds the person and his teams.
func (a *agentAdd) Run(g *globals) error {
	password, made, err := a.password()
	if err != nil {
		return err
	}
	return g.withStore(func(ctx context.Context, _ configs.Config, s *ticketstore.Store) error {
		people := auth.New(auth.Options{Store: s})
		agent := desk.Agent{Email: a.Email, Name: a.Name, Role: desk.Role(a.Role), Skills: a.Skill, Capacity: a.Capacity}
		hash, err := people.HashPassword(password)
		if err != nil {
			return err
		}
		for _, name := range a.Team {
			id, err := teamNamed(ctx, s, name)
			if err != nil {
				team, err := s.SaveTeam(ctx, desk.Team{Name: name})
				if err != nil {
					return err
				}
				id = team.ID
			}
			agent.Teams = append(agent.Teams, id)
		}
		if agent, err = s.CreateAgent(ctx, agent, hash, made); err != nil {
			if errors.Is(err, desk.ErrConflict) {
				return fmt.Errorf("there is already a person with the address %s", a.Email)
			}
			return err
		}
		v := viewAgent(agent, a.Team)
		text := fmt.Sprintf("%s (%s) is %s.", v.Name, v.Email, v.Role)
		if made {
			v.Password = password
			text += "\nOne-time password: " + password
		}
		g.show(v, text)
		return nil
	})
}

// password reads the first line of standard input, or makes a one-time password.
func (a *agentAdd) password() (password string, made bool, err error) {
	if a.PasswordStdin {
		password, err = readPassword()
		return password, false, err
	}
	return auth.OneTimePassword(), true, nil
}

func readPassword() (string, error) {
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usagef("the password must stand on the first line of standard input (%v)", err)
	}
	return line, nil
}

func viewAgent(a desk.Agent, teams []string) agentView {
	v := agentView{ID: a.ID, Email: a.Email, Name: a.Name, Role: a.Role, Teams: teams, Skills: a.Skills, Capacity: a.Capacity, Disabled: a.Disabled}
	if v.Teams == nil {
		v.Teams = []string{}
	}
	if v.Skills == nil {
		v.Skills = []string{}
	}
	return v
}

type agentList struct{}

// Run lists everybody.
func (agentList) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, _ configs.Config, s *ticketstore.Store) error {
		people, err := s.Agents(ctx)
		if err != nil {
			return err
		}
		teams, err := s.Teams(ctx)
		if err != nil {
			return err
		}
		named := map[desk.ID]string{}
		for _, t := range teams {
			named[t.ID] = t.Name
		}
		views, text := []agentView{}, []string{}
		for _, p := range people {
			var names []string
			for _, id := range p.Teams {
				names = append(names, named[id])
			}
			v := viewAgent(p, names)
			views = append(views, v)
			text = append(text, fmt.Sprintf("%-30s %-20s %-10s %s%s", v.Email, v.Name, v.Role, strings.Join(names, ", "), map[bool]string{true: "  (disabled)"}[v.Disabled]))
		}
		g.show(views, strings.Join(text, "\n"))
		return nil
	})
}

type agentDisable struct {
	Email string `help:"Whom." required:""`
}

// Run disables and ends every session; a running gateway notices within seconds.
func (a *agentDisable) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, _ configs.Config, s *ticketstore.Store) error {
		agent, err := personNamed(ctx, s, a.Email)
		if err != nil {
			return err
		}
		agent.Disabled = true
		if _, err := s.UpdateAgent(ctx, agent); err != nil {
			return err
		}
		if _, err := s.RevokeSessions(ctx, agent.ID, ""); err != nil {
			return err
		}
		g.show(viewAgent(agent, nil), agent.Email+" is locked out.")
		return nil
	})
}

type agentPassword struct {
	Email         string `help:"Whose." required:""`
	PasswordStdin bool   `help:"Read it from standard input; without it a one-time password is made and printed."`
}

// Run sets the password and ends every session of the person.
func (a *agentPassword) Run(g *globals) error {
	password, made, err := (&agentAdd{PasswordStdin: a.PasswordStdin}).password()
	if err != nil {
		return err
	}
	return g.withStore(func(ctx context.Context, _ configs.Config, s *ticketstore.Store) error {
		agent, err := personNamed(ctx, s, a.Email)
		if err != nil {
			return err
		}
		if err := auth.New(auth.Options{Store: s}).SetPassword(ctx, agent.ID, password, made); err != nil {
			return err
		}
		v, text := viewAgent(agent, nil), "The password of "+agent.Email+" is set."
		if made {
			v.Password = password
			text += "\nOne-time password: " + password
		}
		g.show(v, text)
		return nil
	})
}

func personNamed(ctx context.Context, s *ticketstore.Store, email string) (desk.Agent, error) {
	agent, _, _, err := s.AgentByEmail(ctx, email)
	if errors.Is(err, desk.ErrNotFound) {
		return agent, fmt.Errorf("there is nobody with the address %s; hearback agent list shows everybody", email)
	}
	return agent, err
}

type tokenCmd struct {
	Add tokenAdd `cmd:"" help:"Make an API token and print it once."`
}

type tokenAdd struct {
	Agent string `help:"For whom (e-mail)." required:""`
	Name  string `help:"What it is for." default:"command line"`
}

// Run makes the token.
func (a *tokenAdd) Run(g *globals) error {
	return g.withStore(func(ctx context.Context, _ configs.Config, s *ticketstore.Store) error {
		agent, err := personNamed(ctx, s, a.Agent)
		if err != nil {
			return err
		}
		secret, t, err := auth.New(auth.Options{Store: s}).AddToken(ctx, agent.ID, a.Name)
		if err != nil {
			return err
		}
		g.show(map[string]string{"id": t.ID, "token": secret}, secret)
		return nil
	})
}
