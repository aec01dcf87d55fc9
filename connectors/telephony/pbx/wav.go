package pbx

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// WAV is a tone of that length: 8 kHz, 16 bit, mono, as telephones sound. It swells and fades, so that a waveform has a shape.
func WAV(length time.Duration) []byte {
	const rate = 8000
	n := int(length * rate / time.Second)
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // a buffer takes everything
		}
	}
	b.WriteString("RIFF")
	put(uint32(36 + 2*n))
	b.WriteString("WAVEfmt ")
	put(uint32(16))
	put([]uint16{1, 1})
	put([]uint32{rate, rate * 2})
	put([]uint16{2, 16})
	b.WriteString("data")
	put(uint32(2 * n))
	samples := make([]int16, n)
	for i := range samples {
		t := float64(i) / rate
		samples[i] = int16(9000 * math.Sin(2*math.Pi*440*t) * math.Abs(math.Sin(2*math.Pi*.7*t)))
	}
	put(samples)
	return b.Bytes()
}
