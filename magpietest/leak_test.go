package magpietest

import (
	"context"
	"testing"
)

// A goroutine that a start leaves behind is found, its children too, and others are not.
func TestLeaksAreFound(t *testing.T) {
	stop, running := make(chan struct{}), make(chan struct{})
	label := labelled(func(context.Context) {
		go func() {
			go func() {
				close(running)
				<-stop
			}()
			<-stop
		}()
	})
	<-running
	if stacks := goroutinesOf(label); len(stacks) != 2 {
		t.Errorf("%d stacks of two goroutines: %q", len(stacks), stacks)
	}
	if stacks := goroutinesOf(label + "0"); len(stacks) != 0 {
		t.Errorf("another server's goroutines are %q", stacks)
	}
	close(stop)
	checkLeaks(t, label)
}
