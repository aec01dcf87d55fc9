package console

import (
	"github.com/danielgtaylor/huma/v2"

	"hearback/desk"
)

// Me is the logged-in agent.
type Me struct {
	ID           desk.ID   `json:"id"`
	Email        string    `json:"email"`
	Name         string    `json:"name"`
	Role         string    `json:"role" enum:"admin,supervisor,agent"`
	Teams        []TeamRef `json:"teams"`
	Skills       []string  `json:"skills"`
	Capacity     int       `json:"capacity"`
	Availability string    `json:"availability" enum:"available,busy,away"`
	Language     string    `json:"language"`
	Bot          bool      `json:"bot"`
	Extensions   []string  `json:"extensions" doc:"What call centres call him: extension, seat number, user name."`
	Signature    string    `json:"signature" doc:"Below his letters."`
}

// Session is what the page needs to start: one request, then the list.
type Session struct {
	Agent              Me            `json:"agent"`
	MustChangePassword bool          `json:"must_change_password"`
	Permissions        []string      `json:"permissions"`
	Build              string        `json:"build"`
	Node               string        `json:"node"`
	Teams              []TeamRef     `json:"teams" doc:"All teams: where a ticket can be transferred to."`
	Channels           []ChannelRef  `json:"channels" doc:"All channels' names."`
	Config             SessionConfig `json:"config"`
}

// SessionConfig are the limits the page must know.
type SessionConfig struct {
	PublicURL     string   `json:"public_url"`
	MaxText       int      `json:"max_text" doc:"Characters of a reply or note."`
	MaxUpload     int64    `json:"max_upload" doc:"Bytes of one file."`
	UploadTypes   []string `json:"upload_types" doc:"Media types taken."`
	FirstResponse int64    `json:"first_response" doc:"Seconds in which a customer should get a first answer; 0: no promise."`
}

// SessionRow is one log-in in the list of one's own.
type SessionRow struct {
	ID        desk.ID   `json:"id"`
	UserAgent string    `json:"user_agent"`
	Address   string    `json:"address"`
	CreatedAt desk.Time `json:"created_at" nullable:"false"`
	SeenAt    desk.Time `json:"seen_at" nullable:"false"`
	Current   bool      `json:"current"`
}

// Presence is one colleague's light.
type Presence struct {
	AgentID      desk.ID `json:"agent_id"`
	Name         string  `json:"name"`
	Online       bool    `json:"online"`
	Availability string  `json:"availability" enum:"available,busy,away"`
	Used         int     `json:"used" doc:"Weighted units of work at once."`
	Capacity     int     `json:"capacity"`
	OnCall       bool    `json:"on_call" doc:"Talks on the phone: gets nothing else."`
}

// Contact is a person who writes to us.
type Contact struct {
	ID         desk.ID           `json:"id"`
	Name       string            `json:"name"`
	Level      string            `json:"level"`
	Language   string            `json:"language"`
	Company    string            `json:"company"`
	Note       string            `json:"note"`
	Fields     map[string]string `json:"fields"`
	Identities []Identity        `json:"identities"`
	CreatedAt  desk.Time         `json:"created_at" nullable:"false"`
	UpdatedAt  desk.Time         `json:"updated_at" nullable:"false"`
}

// Identity is one address of a contact.
type Identity struct {
	Type     string `json:"type"`
	Value    string `json:"value"`
	Scope    string `json:"scope" doc:"Empty when it means the same person everywhere, else the channel it is valid in."`
	Verified bool   `json:"verified"`
}

// Decision is one stored "why".
type Decision struct {
	ID     desk.ID   `json:"id"`
	Kind   string    `json:"kind"`
	At     desk.Time `json:"at" nullable:"false"`
	Detail Detail    `json:"detail"`
}

// Detail is JSON as the router wrote it: its members depend on the decision's kind.
type Detail []byte

// Schema says that a Detail is some object.
func (Detail) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// MarshalJSON writes it as it is.
func (d Detail) MarshalJSON() ([]byte, error) {
	if len(d) == 0 {
		return []byte("{}"), nil
	}
	return d, nil
}

// Counts are the numbers beside the views.
type Counts struct {
	Mine     int `json:"mine"`
	Queue    int `json:"queue"`
	Waiting  int `json:"waiting"`
	Overdue  int `json:"overdue"`
	Open     int `json:"open"`
	Resolved int `json:"resolved"`
	All      int `json:"all"`
}

func wireContact(c desk.Contact) Contact {
	w := Contact{
		ID: c.ID, Name: c.Name, Level: c.Level, Language: c.Language, Company: c.Company, Note: c.Note,
		Fields: fields(c.Fields), Identities: []Identity{}, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	for _, i := range c.Identities {
		w.Identities = append(w.Identities, Identity(i))
	}
	return w
}
