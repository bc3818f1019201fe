package node

import "time"

// Hasten makes leases shorter, and gives the process a name of the test's choice.
func (n *Node) Hasten(process string) *Node {
	const by = 10
	n.leaseFor, n.renewEvery, n.lookEvery, n.process = leaseFor/by, renewEvery/by, lookEvery/by, process
	return n
}

// LeaseFor is the lease of a hastened node.
func (n *Node) LeaseFor() time.Duration { return n.leaseFor }

// The names of processes, for their tests.
var (
	OwnProcess  = ownProcess
	GoneProcess = goneProcess
)
