// Package config is everything an operator may set for one node: one struct, whose tags are the command line, the
// environment, the configuration file and the documentation at once.
//
// A value given on the command line wins over the environment, the environment over the file of --config, and the file
// over the default. What differs between applications on one node is not here but among the application's settings.
//
// The package knows no other room's types beyond the vocabulary; the composition root hands each room what it needs.
package config

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/alecthomas/kong"
)

// Config is the configuration of `magpie serve`. It is a kong grammar: embed it in the command's struct, together with
// the option kong.Configuration(config.FromFile). Embedded without a name it also lends the command its Validate,
// which kong calls; otherwise the command calls it.
//
// The zero value is not useful: start from kong or from Default. A new field needs its four tags and, if it has a range,
// a line in Validate; docs/config.md follows by `make generate`.
type Config struct {
	// File is read before anything else; the other fields already hold its values when it can be seen.
	File kong.ConfigFlag `name:"config" env:"MAGPIE_CONFIG" placeholder:"FILE" help:"File to read settings from, one 'name = value' a line."`

	// Listen carries every door: REST, WebSocket and console. Port 0 picks a free port.
	Listen string `name:"listen" env:"MAGPIE_LISTEN" default:"127.0.0.1:8080" help:"Address and port to serve on. The default is reachable from this machine only; ':8080' serves every interface."`
	// TLSCert is the certificate chain, leaf first. It may be left out behind a proxy that ends TLS; browsers on
	// https pages can use only wss.
	TLSCert string `name:"tls-cert" env:"MAGPIE_TLS_CERT" placeholder:"FILE" help:"PEM file with the certificate chain. With it and --tls-key the node serves https and wss only."`
	TLSKey  string `name:"tls-key" env:"MAGPIE_TLS_KEY" placeholder:"FILE" help:"PEM file with the certificate's private key."`

	// TrustedProxies are believed when they say whom they speak for; what anybody else says is not looked at.
	TrustedProxies string `name:"trusted-proxies" env:"MAGPIE_TRUSTED_PROXIES" default:"127.0.0.0/8,::1/128" placeholder:"NETWORKS" help:"Proxies that are believed about a client's address, in X-Forwarded-For, X-Real-IP or the PROXY protocol: addresses and networks, separated by commas. Empty: none."`
	// ProxyProtocol is never guessed: with it a connection from a trusted proxy has the header, without it none has.
	ProxyProtocol bool `name:"proxy-protocol" env:"MAGPIE_PROXY_PROTOCOL" help:"Connections from --trusted-proxies begin with a header of the PROXY protocol, version 1 or 2."`

	// MetricsListen moves the metrics away from where clients come.
	MetricsListen string `name:"metrics-listen" env:"MAGPIE_METRICS_LISTEN" placeholder:"ADDRESS" help:"Address and port of their own for /metrics, /healthz and /readyz, without TLS. /metrics then is not on --listen any more."`
	// MetricsToken is a secret, so it is never logged.
	MetricsToken string `name:"metrics-token" env:"MAGPIE_METRICS_TOKEN" placeholder:"TOKEN" help:"Who asks for /metrics must send 'Authorization: Bearer TOKEN'. Without a token and without --metrics-listen only this machine is answered."`
	// DebugListen is for developers; nobody is asked for a password there.
	DebugListen string `name:"debug-listen" env:"MAGPIE_DEBUG_LISTEN" placeholder:"ADDRESS" help:"Address and port of their own for profiles and traces of the node under /debug/pprof/, such as 127.0.0.1:6060. Empty: none."`
	// DebugListenAnywhere is a second thought: who reaches DebugListen sees how the node works, and can slow it down.
	DebugListenAnywhere bool `name:"debug-listen-anywhere" env:"MAGPIE_DEBUG_LISTEN_ANYWHERE" help:"Allow a --debug-listen that other machines reach."`

	// Demo lets its visitors be two accounts of the first application.
	Demo string `name:"demo" env:"MAGPIE_DEMO" default:"auto" help:"The demo chat at /demo, which logs everybody who opens it in as two accounts of the first application: on, off, or auto, which is on for this machine's own browsers while --listen is an address of the loopback."`

	// Data is made if it does not exist. It belongs to one running node.
	Data string `name:"data" env:"MAGPIE_DATA" default:"./magpie-data" placeholder:"DIR" help:"Directory for the embedded database and everything else that one node keeps."`
	// Takeover shortens a restart to what a start takes; systemd's socket activation does the same without it.
	Takeover bool `name:"takeover" env:"MAGPIE_TAKEOVER" help:"If another process serves --data on the same address, have it hand over its socket and stop: who connects meanwhile waits, and nobody is refused."`
	// DB is empty for the embedded database. The URL may hold a password, so it is never logged.
	DB string `name:"db" env:"MAGPIE_DB" placeholder:"URL" help:"PostgreSQL to use, as postgres://user:password@host:port/name. Empty: the embedded SQLite in --data."`
	// Bus is empty for a single node. Several addresses are separated by commas, as NATS clients take them.
	Bus string `name:"bus" env:"MAGPIE_BUS" placeholder:"URL" help:"NATS that joins this node with others, as nats://host:port; needs --db. Empty: one node, nothing to join."`
	// Cluster is one token of every NATS subject, so that two services can share a NATS without hearing each other.
	Cluster string `name:"cluster" env:"MAGPIE_CLUSTER" default:"magpie" help:"Name of the service on the bus: the same on all its nodes, and different from other services on that NATS."`

	// Files is empty for a folder of Data. Nodes that are joined by a bus have no folder in common by themselves. An address of a
	// bucket has a secret in it, so it is never logged.
	Files string `name:"files" env:"MAGPIE_FILES" placeholder:"DIR|URL" help:"Where the files are kept that clients upload: a directory, which with --bus all nodes must share, or a bucket that speaks S3, as s3://KEY:SECRET@host/bucket/prefix?region=R (s3+http:// without TLS; without keys they are those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY). Empty: 'files' in --data; with --bus none, and uploads are refused."`
	// FilesURL is for services whose clients come by several names, or behind a proxy that does not say by which.
	FilesURL string `name:"files-url" env:"MAGPIE_FILES_URL" placeholder:"URL" help:"Scheme and host by which clients reach this service, such as https://im.example.com, for the addresses of files. Empty: those by which the client came that uploads."`
	// MaxUploads bounds folders' files that are written at once, and their 64 KiB of memory each.
	MaxUploads int `name:"max-uploads" env:"MAGPIE_MAX_UPLOADS" default:"256" help:"Uploads of files at once; one network address gets a quarter of them and one account a sixteenth, and one more is told to try again."`
	// FilePatience is for networks that stall; who is slow for longer gives the connection back.
	FilePatience time.Duration `name:"file-patience" env:"MAGPIE_FILE_PATIENCE" default:"30s" help:"How long an upload or download of a file may stall; from then on it must have moved 16 KiB a second on average."`

	// Apps are created at start if they are missing; see AppKeys for their form. What the database already knows about
	// other applications stays.
	Apps []string `name:"app" env:"MAGPIE_APP" placeholder:"SDKAPPID:KEY" help:"Application to serve, with the secret key that its UserSigs are signed with; may be repeated. Prefer the file or the environment: other users of the machine can read a command line."`

	LogLevel  string `name:"log-level" env:"MAGPIE_LOG_LEVEL" default:"info" help:"Least important line to log: debug, info, warn or error."`
	LogFormat string `name:"log-format" env:"MAGPIE_LOG_FORMAT" default:"text" help:"Form of a log line: text or json."`

	// HelloInterval goes to clients in the login reply, in whole seconds (docs/protocol/wire.md). It also bounds how
	// long a vanished device counts as online.
	HelloInterval time.Duration `name:"hello-interval" env:"MAGPIE_HELLO_INTERVAL" default:"30s" help:"How often a client that is logged in says hello, in whole seconds. A quiet web client that found no server looks for it again at its next hello, at the latest."`
	// IdleTimeout counts from the last thing received, pongs included. A client that is busy receiving sends no
	// heartbeat of its own for up to HelloInterval, so whoever enforces this asks with a ping first.
	IdleTimeout time.Duration `name:"idle-timeout" env:"MAGPIE_IDLE_TIMEOUT" default:"60s" help:"A WebSocket that sends nothing this long, not even the answer to a ping, is closed."`
	// DrainTimeout starts when the node is asked to stop; calls still running when it ends are cut off.
	DrainTimeout time.Duration `name:"drain-timeout" env:"MAGPIE_DRAIN_TIMEOUT" default:"10s" help:"How long a node that stops lets running calls finish."`

	// MaxConnections counts WebSockets before and after login. One costs about 5 KB and a file descriptor.
	MaxConnections int `name:"max-connections" env:"MAGPIE_MAX_CONNECTIONS" default:"100000" help:"WebSockets open at once; one more is refused before it is opened."`
	// MaxConnectionsPerAddress is far above what people behind one router need, and keeps one address from taking all.
	MaxConnectionsPerAddress int `name:"max-connections-per-address" env:"MAGPIE_MAX_CONNECTIONS_PER_ADDRESS" default:"5000" help:"Connections of one address at once, of both doors; one more is closed at once. An address is a network of 64 bits in IPv6. --trusted-proxies are not counted, but those they speak for; 0 is unlimited."`
	// MaxHTTPConnections counts what is no WebSocket: handshakes, REST calls, and connections that wait for the next call.
	MaxHTTPConnections int `name:"max-http-connections" env:"MAGPIE_MAX_HTTP_CONNECTIONS" default:"10000" help:"Connections at once that are not WebSockets, or not yet; one address gets a quarter of them, and one more is closed at once. 0 is unlimited."`
	// RESTBodyWithin and RESTBodyBytes concern bodies of callers whose signature is good; others' are not kept.
	RESTBodyWithin time.Duration `name:"rest-body-within" env:"MAGPIE_REST_BODY_WITHIN" default:"30s" help:"How long the body of a REST call may take to arrive."`
	RESTBodyBytes  int           `name:"rest-body-bytes" env:"MAGPIE_REST_BODY_BYTES" default:"67108864" help:"Bytes of REST calls' bodies in memory at once, of which one address gets a quarter; a call above it is told to try again."`
	// FailedLoginsPerSecond never locks anybody out: only answers to failed logins wait, at most five seconds.
	FailedLoginsPerSecond int `name:"failed-logins-per-second" env:"MAGPIE_FAILED_LOGINS_PER_SECOND" default:"5" help:"Failed logins and REST signatures of one address that are answered in a second; above it, for longer than ten seconds, their answers are held back up to 5s. Others of that address do not wait. 0 holds none back."`
	// MaxFrameBytes must hold the largest message that an application allows, with the JSON around it.
	MaxFrameBytes int `name:"max-frame-bytes" env:"MAGPIE_MAX_FRAME_BYTES" default:"262144" help:"Largest frame a client may send; a larger one closes its WebSocket."`
	// WriteQueueBytes bounds a session's memory. Closing is safe: the client reconnects and pulls what it missed.
	WriteQueueBytes int `name:"write-queue-bytes" env:"MAGPIE_WRITE_QUEUE_BYTES" default:"1048576" help:"Bytes that may wait to be written to one client; a session that falls this far behind is closed, and the client reconnects and catches up."`
	// CompressAbove trades processor time for bandwidth. It reaches only clients that say they can inflate.
	CompressAbove int `name:"compress-above" env:"MAGPIE_COMPRESS_ABOVE" default:"1024" help:"Frames to a client that are larger than this many bytes are gzipped, if it can inflate; 0 never compresses."`

	// GuestFrameBytes, GuestRequests, GuestQueueBytes and LoginTimeout are for connections on which nobody is logged in, which
	// cost whoever opens them nothing. A login, and what the SDK asks beside it, is far below them.
	GuestFrameBytes int           `name:"guest-frame-bytes" env:"MAGPIE_GUEST_FRAME_BYTES" default:"16384" help:"Largest message a client may send before it has logged in; a larger one closes its WebSocket."`
	GuestRequests   int           `name:"guest-requests" env:"MAGPIE_GUEST_REQUESTS" default:"1" help:"Requests of a client that has not logged in that may wait while another one is served; more are not read until there is room."`
	GuestQueueBytes int           `name:"guest-queue-bytes" env:"MAGPIE_GUEST_QUEUE_BYTES" default:"16777216" help:"Bytes that may wait to be written to all clients together that have not logged in; the one that would exceed them is closed."`
	LoginTimeout    time.Duration `name:"login-timeout" env:"MAGPIE_LOGIN_TIMEOUT" default:"3m" help:"A WebSocket on which nobody has been logged in this long is closed, unless it has joined a live room; 0 never closes it. The client SDK connects before its login, and again when it is needed."`

	// CommandNameBytes matters because a reply repeats the name.
	CommandNameBytes int `name:"command-name-bytes" env:"MAGPIE_COMMAND_NAME_BYTES" default:"128" help:"Longest name of a command that a client may send; a longer one closes its WebSocket."`
	// CommandsPerSecond guards the node against a broken client; it is far above what the client SDK sends.
	CommandsPerSecond int `name:"commands-per-second" env:"MAGPIE_COMMANDS_PER_SECOND" default:"5000" help:"Commands one WebSocket may send in a second; more are refused. Pings and pieces of messages count as well, and close the WebSocket when they are more. 0 is unlimited."`
	// RESTPerSecond is what the reference system documents as its default; it counts on each node by itself.
	RESTPerSecond int `name:"rest-per-second" env:"MAGPIE_REST_PER_SECOND" default:"200" help:"REST calls of one command by one application in a second, the reference system's default; 0 is unlimited."`

	// WebhookBefore and WebhookAfter bound what one slow back end can take of the node; a callback that finds no place
	// waits within its time.
	WebhookBefore int `name:"webhook-before" env:"MAGPIE_WEBHOOK_BEFORE" default:"64" help:"Callbacks that block a command, under way at once to one webhook address."`
	WebhookAfter  int `name:"webhook-after" env:"MAGPIE_WEBHOOK_AFTER" default:"16" help:"Callbacks that tell what happened, under way at once to one webhook address."`
	// WebhookPrivate matters where those who set an application's webhooks are not those who run the server.
	WebhookPrivate string `name:"webhook-private" env:"MAGPIE_WEBHOOK_PRIVATE" default:"auto" help:"Whether webhooks may reach this machine and loopback, private and link-local networks: allow, forbid, or auto, which allows it while --listen is an address of the loopback. It is judged by the address that is connected to, whatever its name."`
	// WebhookKeep concerns what is over: attempts, and dead letters, which can be replayed until then.
	WebhookKeep time.Duration `name:"webhook-keep" env:"MAGPIE_WEBHOOK_KEEP" default:"72h" help:"How long records of webhook attempts and dead letters are kept."`

	// CommitBatch bounds the time of one commit, not the rate: when idle, a write commits alone and at once.
	CommitBatch int `name:"commit-batch" env:"MAGPIE_COMMIT_BATCH" default:"256" help:"Most writes that share one commit to disk."`
}

// Default returns the configuration that nobody has changed. It reads neither the environment nor a file, so tests and
// embedded servers start from the same values on every machine.
func Default() *Config {
	c := &Config{}
	for _, flag := range flags(c) {
		if !flag.HasDefault {
			continue
		}
		scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: flag.Default})
		if err := flag.Parse(scan, flag.Target); err != nil {
			panic("config: default of --" + flag.Name + ": " + err.Error())
		}
	}
	return c
}

// flags lists the fields of c as kong understands them, in the order of the struct. A failure is a mistake in a tag,
// which the tests of this package find.
func flags(c *Config) []*kong.Flag {
	parser, err := kong.New(c, kong.NoDefaultHelp())
	if err != nil {
		panic("config: " + err.Error())
	}
	return parser.Model.Flags
}

// Set changes one field by its flag's name, as the command line would; lists are added to.
func (c *Config) Set(name, value string) error {
	for _, flag := range flags(c) {
		if flag.Name == name {
			if err := flag.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value}), flag.Target); err != nil {
				return fmt.Errorf("--%s: %w", name, err)
			}
			return nil
		}
	}
	return fmt.Errorf("no setting --%s", name)
}

// Changed lists the settings in which two configurations differ, by their flags' names and without those that are
// excepted.
func Changed(from, to *Config, except ...string) []string {
	var names []string
	after := flags(to)
	for i, flag := range flags(from) {
		if !reflect.DeepEqual(flag.Target.Interface(), after[i].Target.Interface()) && !slices.Contains(except, flag.Name) {
			names = append(names, flag.Name)
		}
	}
	return names
}
