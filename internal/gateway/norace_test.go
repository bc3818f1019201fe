//go:build !race

package gateway

// raced says that the race detector looks on.
const raced = false
