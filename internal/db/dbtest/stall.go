package dbtest

import (
	"strings"
	"sync"
)

// stall is a statement whose answer waits.
type stall struct {
	of            string // part of its text
	reached, free chan struct{}
}

// Stall has the answer of the next statement wait whose text has the part, while others run. reached is closed once the statement
// has run, and release lets its answer go; a test releases in any case, as the store does not close before.
func (f *Faults) Stall(part string) (reached <-chan struct{}, release func()) {
	s := &stall{part, make(chan struct{}), make(chan struct{})}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.stall = s
	return s.reached, sync.OnceFunc(func() { close(s.free) })
}

// wait keeps a statement that has run waiting, if it is the one.
func (f *Faults) wait(text string) {
	f.mutex.Lock()
	s := f.stall
	if s == nil || !strings.Contains(text, s.of) {
		f.mutex.Unlock()
		return
	}
	f.stall = nil
	f.mutex.Unlock()
	close(s.reached)
	<-s.free
}
