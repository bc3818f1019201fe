package annotate

import "math/bits"

// bitmap is a set of numbers from 0 on, a bit for each. The empty one is the empty set.
type bitmap []byte

const perByte = 8

func (b bitmap) has(n int64) bool {
	at := n / perByte
	return at < int64(len(b)) && b[at]&(1<<(n%perByte)) != 0
}

// with is the set with a number more. b itself stays as it is.
func (b bitmap) with(n int64) bitmap {
	next := make(bitmap, max(int64(len(b)), n/perByte+1))
	copy(next, b)
	next[n/perByte] |= 1 << (n % perByte)
	return next
}

// count is how many numbers there are.
func (b bitmap) count() (n int64) {
	for _, one := range b {
		n += int64(bits.OnesCount8(one))
	}
	return n
}

// after lists the numbers above one, in rising order, most of them at most.
func (b bitmap) after(number int64, most int) (found []int64) {
	for n := max(number+1, 0); n < int64(len(b))*perByte && len(found) < most; n++ {
		if b.has(n) {
			found = append(found, n)
		}
	}
	return found
}
