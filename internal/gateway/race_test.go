//go:build race

package gateway

// raced says that the race detector looks on: it makes pools forget on purpose, so that allocations cannot be counted.
const raced = true
