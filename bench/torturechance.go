package bench

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"time"
)

// chance draws what a run does by chance. Each actor of a run draws from a stream of its own, so that the same seed gives
// him the same draws whatever the others do meanwhile.
type chance struct{ *rand.Rand }

func newChance(seed uint64, actor string, number int) chance {
	stream := fnv.New64a()
	_, _ = stream.Write([]byte(actor + strconv.Itoa(number))) // never fails
	return chance{rand.New(rand.NewPCG(seed, stream.Sum64()))}
}

// between draws a time from least to most.
func (c chance) between(least, most time.Duration) time.Duration {
	return least + time.Duration(c.Int64N(int64(most-least)+1))
}

// one reports true once in n times.
func (c chance) one(n int) bool { return c.IntN(n) == 0 }

// of draws one of some.
func of[T any](c chance, some []T) T { return some[c.IntN(len(some))] }
