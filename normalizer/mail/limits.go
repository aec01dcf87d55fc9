package mail

// Limits bound what one mail may cost. A zero field means its default.
type Limits struct {
	Header     int // Bytes of one header block. Default 1 MB.
	Fields     int // Header fields of one block. Default 2,000.
	Parts      int // MIME parts, containers included. Default 1,000.
	Depth      int // Nested containers and messages. Default 30.
	Text       int // Bytes of readable text and of HTML kept, each. Default 4 MB.
	Addresses  int // Addresses of one field. Default 1,000.
	References int // Message-IDs taken from References. Default 200.
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&l.Header, 1 << 20}, {&l.Fields, 2000}, {&l.Parts, 1000}, {&l.Depth, 30}, {&l.Text, 4 << 20}, {&l.Addresses, 1000}, {&l.References, 200},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}
