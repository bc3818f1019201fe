package annotate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

var extensible = M{"SupportMessageExtension": 1}

// values are extensions: "name=value@seq"; of what is deleted the value is empty.
func values(texts ...string) []M {
	var all []M
	for _, text := range texts {
		name, rest, _ := strings.Cut(text, "=")
		value, seq, _ := strings.Cut(rest, "@")
		var number int
		_, _ = fmt.Sscan(seq, &number)
		all = append(all, M{"Key": name, "Value": value, "Seq": number})
	}
	return all
}

// extend is the request that sets (1), deletes (2) or clears (3) extensions.
func (m *said) extend(operation int, texts ...string) M {
	return m.with(M{"OperateType": operation, "ExtensionList": values(texts...)})
}

type extension struct {
	Key, Value string
	Seq        int
}

func (e extension) String() string { return fmt.Sprintf("%s=%s@%d", e.Key, e.Value, e.Seq) }

type extended struct {
	List []struct {
		ErrorCode int
		Extension extension
	} `json:"ExtensionList"`
	Seq int
}

// told tells what became of each, with its code if it was refused, and the newest write.
func (e *extended) told() (lines []string) {
	for _, one := range e.List {
		line := one.Extension.String()
		if one.ErrorCode != 0 {
			line += fmt.Sprint(" ", one.ErrorCode)
		}
		lines = append(lines, line)
	}
	return append(lines, fmt.Sprint(e.Seq))
}

// extends has a client change extensions.
func (m *said) extends(t *testing.T, c *Conn, operation int, texts ...string) []string {
	t.Helper()
	var reply extended
	c.MustCall(t, m.dotted("set_key_values"), m.extend(operation, texts...), &reply)
	return reply.told()
}

// orders has a back end change extensions.
func (m *said) orders(t *testing.T, operation int, texts ...string) []string {
	t.Helper()
	var reply extended
	m.MustREST(t, m.command("set_key_values"), m.extend(operation, texts...), &reply)
	return reply.told()
}

type extensionPage struct {
	List                              []extension `json:"ExtensionList"`
	CompleteFlag, LatestSeq, ClearSeq int
}

func (p *extensionPage) told() []string {
	return append(lines(p.List, extension.String), fmt.Sprintf("complete %d, latest %d, cleared %d", p.CompleteFlag, p.LatestSeq, p.ClearSeq))
}

// reads has a client read the extensions since a write.
func (m *said) reads(t *testing.T, c *Conn, since int) []string {
	t.Helper()
	var page extensionPage
	c.MustCall(t, m.dotted("get_key_values"), m.with(M{"startSeq": since}), &page)
	return page.told()
}

// Those who see a message set, delete and clear what is attached to it; who knows of an older write is told the newer one.
func TestExtensions(t *testing.T) {
	story(t, extensible, func(t *testing.T, m *said) {
		alice, bob, dave := m.Login(t, "alice"), m.Login(t, "bob"), m.Login(t, "dave")
		alice.Pushes(t)
		bob.Pushes(t)
		sees := func(c *Conn, line string) {
			t.Helper()
			c.Sees(t, m.where+": extensions "+line)
		}
		wantLines(t, "nothing yet", m.reads(t, alice, 0), "complete 1, latest 0, cleared 0")
		wantLines(t, "alice sets", m.extends(t, alice, 1, "a=1@0", "b=2@0"), "a=1@1", "b=2@2", "2")
		sees(bob, "1 [{a 1 1} {b 2 2}] cleared 0 of 2")
		wantLines(t, "bob knows of none", m.extends(t, bob, 1, "a=9@0", "c=3@0"), "a=1@1 23001", "c=3@3", "3")
		sees(alice, "1 [{c 3 3}] cleared 0 of 3")
		wantLines(t, "bob knows", m.extends(t, bob, 1, "a=9@1"), "a=9@4", "4")
		sees(alice, "1 [{a 9 4}] cleared 0 of 4")
		wantLines(t, "the back end need not", m.orders(t, 1, "a=10@77"), "a=10@5", "5")
		sees(alice, "1 [{a 10 5}] cleared 0 of 5")
		sees(bob, "1 [{a 10 5}] cleared 0 of 5")
		wantLines(t, "alice deletes", m.extends(t, alice, 2, "b=@2", "c=@1", "d=@0"), "b=@6", "c=3@3 23001", "d=@0", "6")
		sees(bob, "2 [{b  6}] cleared 0 of 6")
		wantLines(t, "all", m.reads(t, alice, 0), "c=3@3", "a=10@5", "complete 1, latest 6, cleared 0")
		wantLines(t, "since", m.reads(t, bob, 5), "a=10@5", "b=@6", "complete 1, latest 6, cleared 0")
		wantLines(t, "what was deleted may be set by who knows nothing of it", m.extends(t, bob, 1, "b=4@0"), "b=4@7", "7")
		alice.Pushes(t)
		wantLines(t, "bob clears", m.extends(t, bob, 3), "7")
		sees(alice, "3 [] cleared 7 of 7")
		wantLines(t, "after that", m.reads(t, alice, 0), "complete 1, latest 7, cleared 7")
		wantLines(t, "alice sets again", m.extends(t, alice, 1, "a=1@0"), "a=1@8", "8")
		sees(bob, "1 [{a 1 8}] cleared 7 of 8")
		dave.SeesNothing(t)
		alice.SeesNothing(t)
		m.recall(t)
		refuses(t, alice, m.dotted("get_key_values"), m.with(nil), 23004)
		refuses(t, alice, m.dotted("set_key_values"), m.extend(1, "a=1@0"), 23004)
	})
}

// The back end is told what was changed, and nothing of what was refused.
func TestExtensionCallbacks(t *testing.T) {
	story(t, extensible, func(t *testing.T, m *said) {
		command := "C2C.CallbackAfterC2CMsgExtension"
		if m.group != "" {
			command = "Group.CallbackAfterGroupMsgExtension"
		}
		back := m.BackEnd(t, command)
		alice := m.Login(t, "alice")
		m.extends(t, alice, 1, "a=1@0", "b=2@0")
		m.extends(t, alice, 1, "a=1@0", "b=3@2")
		m.extends(t, alice, 1, "a=1@7")
		m.orders(t, 2, "a=@0")
		m.orders(t, 3)
		for i, want := range []string{"1 [a=1@1 b=2@2] 2", "1 [b=3@3] 3", "2 [a=@4] 4", "3 [] 4"} {
			var told struct {
				From        string `json:"From_Account"`
				To          string `json:"To_Account"`
				Key         any    `json:"MsgKey"`
				Group       any    `json:"GroupId"`
				MsgSeq      any
				OperateType int
				List        []extension `json:"ExtensionList"`
				Seq         int
				EventTime   int64
			}
			back.Gets(t, command, 4)[i].Into(t, &told)
			named := told.From == "alice" && told.To == "bob" && told.Key == m.name["MsgKey"] || told.Group == m.name["GroupId"] && told.MsgSeq == 1.0
			if got := fmt.Sprint(told.OperateType, " ", told.List, " ", told.Seq); got != want || !named || told.EventTime == 0 || told.List == nil {
				t.Errorf("the back end is told %+v, want %s", told, want)
			}
		}
	})
}

// A message holds 300 extensions, which are read by pages of 200.
func TestManyExtensions(t *testing.T) {
	story(t, extensible, func(t *testing.T, m *said) {
		bob := m.Login(t, "bob")
		for first := 0; first < 300; first += 20 {
			var some []string
			for n := range 20 {
				some = append(some, fmt.Sprintf("k%d=v@0", first+n))
			}
			m.orders(t, 1, some...)
		}
		m.Refuses(t, m.command("set_key_values"), m.extend(1, "one more=v@0"), 10004)
		var page extensionPage
		bob.MustCall(t, m.dotted("get_key_values"), m.with(nil), &page)
		if len(page.List) != 200 || page.CompleteFlag != 0 || page.List[199].Seq != 200 {
			t.Errorf("the first page has %d, complete %d", len(page.List), page.CompleteFlag)
		}
		m.MustREST(t, m.command("get_key_values"), m.with(M{"StartSeq": 201}), &page)
		if len(page.List) != 100 || page.CompleteFlag != 1 || page.LatestSeq != 300 {
			t.Errorf("the second page has %d, complete %d, latest %d", len(page.List), page.CompleteFlag, page.LatestSeq)
		}
		// Who deletes makes room.
		m.orders(t, 2, "k7=@0")
		m.orders(t, 1, "one more=v@0")
	})
}

// The extensions of one message are written 200 times a minute.
func TestExtensionRate(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		m := sayToBob(t, s, extensible)
		s.Pass(t, s.Now().Truncate(time.Minute).Add(time.Minute).Sub(s.Now()))
		for n := range 200 {
			m.orders(t, 1, fmt.Sprintf("k=%d@0", n+1))
		}
		m.Refuses(t, m.command("set_key_values"), m.extend(1, "k=v@0"), 23003)
		other := sayToBob(t, s, magpietest.With(extensible, M{"MsgRandom": 8}))
		other.orders(t, 1, "k=v@0")
		s.Pass(t, time.Minute)
		wantLines(t, "a minute later", m.orders(t, 1, "k=v@0"), "k=v@201", "201")
	}, magpietest.Timed())
}

// What is refused as a whole.
func TestExtensionRefused(t *testing.T) {
	story(t, extensible, func(t *testing.T, m *said) {
		bob, dave := m.Login(t, "bob"), m.Login(t, "dave")
		set := m.dotted("set_key_values")
		refuses(t, dave, set, m.extend(1, "a=1@0"), m.stranger)
		refuses(t, dave, m.dotted("get_key_values"), m.with(nil), m.stranger)
		for _, body := range []M{
			m.extend(0, "a=1@0"), m.extend(4, "a=1@0"), m.extend(1), m.extend(2), m.extend(1, "=1@0"), m.extend(1, "a=@0"),
			m.extend(1, "a=1@0", "a=2@0"), m.extend(1, strings.Repeat("k", 101)+"=1@0"), m.extend(1, "a="+strings.Repeat("v", 1001)+"@0"),
			m.extend(1, strings.Split(strings.Repeat("a=1@0 ", 21), " ")[:21]...),
		} {
			refuses(t, bob, set, body, 10004)
		}
		elsewhere := m.with(M{"MsgKey": "1_2_3", "MsgSeq": 9, "OperateType": 1, "ExtensionList": values("a=1@0")})
		refuses(t, bob, set, elsewhere, 23004)
		plain := sayAgain(t, m)
		refuses(t, bob, set, plain.extend(1, "a=1@0"), 23002)
		refuses(t, bob, m.dotted("get_key_values"), plain.with(nil), 23002)
		m.Configure(t, "message.extensions", "off")
		refuses(t, bob, set, m.extend(1, "a=1@0"), 10008)
		refuses(t, bob, m.dotted("get_key_values"), m.with(nil), 10008)
	})
}

// sayAgain sends another message of the same kind, without anything.
func sayAgain(t *testing.T, m *said) *said {
	t.Helper()
	if m.group == "" {
		return sayToBob(t, m.Server, M{"MsgRandom": 99})
	}
	m.MustREST(t, "group_open_http_svc/send_group_msg", M{
		"GroupId": m.group, "From_Account": "alice", "Random": 99, "MsgBody": magpietest.Text("plain"),
	}, nil)
	again := *m
	again.name = M{"GroupId": m.group, "MsgSeq": 2}
	return &again
}
