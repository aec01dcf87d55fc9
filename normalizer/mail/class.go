package mail

// Kind is finer than the class.
type Kind string

const KindNormal Kind = "normal"

// Bounce is filled later.
type Bounce struct{ Recipients []struct{ Status string } }

func (w *walker) classify() { w.mail.Class, w.mail.Kind = "normal", KindNormal }
