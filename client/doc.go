// Package client speaks to a Magpie server the way the official web SDK does: binary WebSocket frames on /binfo, one
// JSON envelope each (docs/protocol/wire.md). It is for bots, tests and load generators in Go.
//
//	c, err := client.Dial(ctx, client.Options{
//		URL: "ws://127.0.0.1:8080", AppID: 1400000001, UserID: "alice", UserSig: sig,
//		OnMessage: func(m client.Message) { log.Print(m.From, ": ", m.Text()) },
//	})
//	sent, err := c.Send(ctx, client.Outgoing{To: "bob", Elements: []client.Element{client.Text("hello")}})
//
// # Connection
//
// [Dial] returns a logged-in [Client] and the client then looks after its connection: it reconnects with a jittered,
// bounded back-off, to the next of [Options.URLs], and logs in with the session of before. When the server no longer
// takes that, [Options.UserSigFunc] is asked for a new signature; without one, and when the server logs the user out,
// the client is kicked and ends. [Client.Done] is closed then and [Client.Err] says why.
//
// # Calls
//
// A call that has no answer when the connection is lost is sent again unchanged on the next one, so it ends with the
// server's answer, with its context, or with the client. Only sends are known to count once however often they
// arrive. Everything without a function here goes through [Client.Call].
//
// # What arrives
//
// Pushes are a hint and the server's store is the truth. After a reconnect, and whenever the server says that something
// was missed, the client asks for what is new since its cookie, and [Options.OnMessage] gets every message once. A
// program that must miss nothing while it is not running keeps [Client.Cookie] and starts with [Options.Cookie].
//
// Callbacks run on the connection's reader, so they must not block; [Options] has the rules.
//
// # Groups
//
// A message goes to a group by [Outgoing.Group] and comes to [Options.OnGroupMessage]. Groups are not synced: a program that has
// been disconnected, or sees a gap between two sequences, reads what it missed with [Client.GroupHistory].
//
// # Bounds
//
// A client has one goroutine, one timer and, idle, about 20 KB with its stack; thousands fit into a process. Frames,
// pending calls, remembered messages and pauses are bounded by [Options]. There is no queue of callbacks: who is slow to
// take messages is slow to read, and the server will cut the connection.
package client
