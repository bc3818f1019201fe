package server

import (
	"strings"
	"syscall"
	"testing"
)

// A lock that is held, and one that cannot be taken, are not the same mistake of the operator.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	lock, err := lockDir(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(t.Context(), dir, 0); err == nil || !strings.Contains(err.Error(), "running") || !strings.Contains(err.Error(), dir) {
		t.Errorf("while it is held: %v", err)
	}
	if err := lock.release(); err != nil {
		t.Fatal(err)
	}
	if lock, err = lockDir(t.Context(), dir, 0); err != nil {
		t.Fatalf("after it was released: %v", err)
	}
	_ = lock.release()
	for _, errno := range []syscall.Errno{syscall.ENOLCK, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.EINVAL} {
		if text := lockRefusal(dir, errno).Error(); strings.Contains(text, "running") || !strings.Contains(text, "without locks") || !strings.Contains(text, errno.Error()) {
			t.Errorf("%v: %s", errno, text)
		}
	}
}
