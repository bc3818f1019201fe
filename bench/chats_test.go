package bench

import "testing"

// Every number of chats that is allowed is made, each once, and spread evenly.
func TestPeers(t *testing.T) {
	for _, n := range []int{2, 4, 6, 10} {
		for chats := n / 2; chats <= n*(n-1)/2; chats++ {
			if err := validChats(n, chats); err != nil {
				t.Fatal(err)
			}
			made := map[[2]int]bool{}
			for i, others := range newPeers(n, chats) {
				if most := 2*chats/n + 2; len(others) == 0 || len(others) > most || others[0] != i^1 {
					t.Errorf("%d chats of %d: connection %d has %v, want 1 to %d, the pair's first", chats, n, i, others, most)
				}
				for _, j := range others {
					if i == j || made[[2]int{i, j}] {
						t.Errorf("%d chats of %d: %d to %d is no chat of its own", chats, n, i, j)
					}
					made[[2]int{i, j}] = true
				}
			}
			if len(made) != 2*chats {
				t.Errorf("%d chats of %d: made %d sides", chats, n, len(made))
			}
		}
	}
	if validChats(4, 1) == nil || validChats(4, 7) == nil || validChats(4, 0) != nil {
		t.Error("four connections have 2 to 6 chats, and 2 when nobody says")
	}
}
