package json

import (
	v1 "encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// TestMutate throws damaged frames at each codec for a few seconds and fails where one takes what encoding/json
// refuses. Run it with -race: pointer checks are then on, and a codec that reads past its input stops the process.
func TestMutate(t *testing.T) {
	for _, c := range codecs {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			n, lax, first := 0, 0, ""
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end); n++ {
				in := damage(rng)
				var err error
				if c.raw {
					err = both[jsontext.Value](c, in)
				} else {
					err = both[v1.RawMessage](c, in)
				}
				if err == nil && !v1.Valid(in) {
					if lax++; lax == 1 {
						first = string(in)
					}
				}
			}
			t.Logf("%d inputs, %d taken that encoding/json refuses; first %.200q", n, lax, first)
		})
	}
}

// damage returns a captured frame with one to four bytes changed, then perhaps cut; exactly as long as its array, so
// that a read past the end is a read past the allocation.
func damage(rng *rand.Rand) []byte {
	const bytes = "\"\\{}[],:0u\x00\xff"
	in := []byte([]string{sendFrame, sendBody}[rng.IntN(2)])
	for range 1 + rng.IntN(4) {
		in[rng.IntN(len(in))] = bytes[rng.IntN(len(bytes))]
	}
	if rng.IntN(2) == 0 {
		in = in[:rng.IntN(len(in))]
	}
	out := make([]byte, len(in))
	copy(out, in)
	return out
}

func both[R ~[]byte](c codec, in []byte) error {
	if err := c.unmarshal(in, &Frame[R]{}); err != nil {
		return err
	}
	return c.unmarshal(in, &Send[R]{})
}
