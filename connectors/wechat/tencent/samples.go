package tencent

import _ "embed"

// Real little files, as phones send them.
var (
	// AMR is a door bell of 1.6 s in AMR-NB (RFC 4867, 5), 12.2 kbit/s.
	//go:embed testdata/voice.amr
	AMR []byte
	// PNG is a drawing of a parcel with a crack, 240 by 180.
	//go:embed testdata/parcel.png
	PNG []byte
	// MP4 is an MP4 file that holds nothing but its head: enough for what looks at the type.
	//go:embed testdata/film.mp4
	MP4 []byte
)
