package bench

// The server's metrics that a run at a server of somebody else reads.
const (
	AckedMetric   = ackedMetric
	CommitsMetric = commitsMetric
)
