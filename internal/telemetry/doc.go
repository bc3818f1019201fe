// Package telemetry is how a node tells its operator what it does: the log, the trace ids that join its lines, and the
// metrics.
//
// It owns the names of log fields and of metrics. Of other rooms it knows only the vocabulary: whoever has something to
// tell is given a logger or the Metrics. Nothing in a log or a label is ever the text of a message, a key or a signature.
package telemetry
