package server_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// described is a REST command as the page of the interface has it.
type described struct {
	section, name string
	served        bool // the page says so
}

// restPage reads the commands of the interface's page.
func restPage(t *testing.T) (all []described) {
	t.Helper()
	text, err := os.ReadFile("../../docs/protocol/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	post, section := regexp.MustCompile("^`POST /v4/([^`]+)` — "), ""
	for line := range strings.SplitSeq(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = heading
		}
		if found := post.FindStringSubmatch(line); found != nil {
			all = append(all, described{section, found[1], strings.HasSuffix(line, "**Served.**")})
		}
	}
	return all
}

// servedSections are the parts of the page that are to be served whole: accounts, one-to-one chat, people, and groups.
func servedSections() []string {
	return []string{
		"accounts", "one-to-one-messages", "user-profile", "relations", "follow", "conversations", "robots", "official-accounts", "global-mute",
		"groups", "group-members", "group-messages", "attributes-and-counters", "live-rooms", "topics", "permission-groups",
	}
}

// notServedYet are whole parts of the page that are absent, and why.
func notServedYet() map[string]string {
	return map[string]string{
		"topics": "communities have no topics", "permission-groups": "communities have no topics that such groups would be of",
	}
}

// notServed are commands of those parts that are not served yet, and why. The list gets shorter only.
func notServed() map[string]string {
	return map[string]string{}
}

// servedCallbacks are the families of callbacks that are to be fired whole.
func servedCallbacks() []string {
	return []string{"C2C.", "Bot.", "Chatbot.", "Profile.", "Sns.", "Follow.", "Group.", "OfficialAccount."}
}

// notFired are callbacks of these that are not fired yet, and why. The list gets shorter only.
func notFired() map[string]string {
	const topics = "communities have no topics"
	return map[string]string{
		"Chatbot.OnC2CSignalMessage":      "no command by which a client signals to a robot is documented, and the web SDK has none",
		"Group.CallbackBeforeCreateTopic": topics, "Group.CallbackAfterCreateTopic": topics,
		"Group.CallbackAfterTopicDestroyed": topics, "Group.CallbackAfterTopicInfoChanged": topics,
	}
}

// The index of callbacks says what there is; those of one-to-one chat, of people and of groups are all fired.
func TestServedCallbacks(t *testing.T) {
	index, err := os.ReadFile("../../docs/protocol/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	generated, err := os.ReadFile("../../api/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile(`(?m)^### ([A-Za-z0-9]+\.[A-Za-z0-9]+)$`).FindAllStringSubmatch(string(index), -1)
	if len(listed) == 0 {
		t.Fatal("the page has no callbacks")
	}
	fired := func(name string) bool { return strings.Contains(string(generated), "[`"+name+"`]") }
	found := map[string]bool{}
	for _, one := range listed {
		name := one[1]
		found[name] = true
		expected := slices.ContainsFunc(servedCallbacks(), func(family string) bool { return strings.HasPrefix(name, family) })
		if expected && !fired(name) && notFired()[name] == "" {
			t.Errorf("%s is not fired", name)
		}
	}
	for name, why := range notFired() {
		if fired(name) || !found[name] || why == "" {
			t.Errorf("notFired() has %s, which is fired, or not on the page, or has no reason", name)
		}
	}
}

// The page of the interface says of each command whether it is served, and those of the served parts all are.
func TestServedCommands(t *testing.T) {
	doors, page, excused := documented(t), restPage(t), notServed()
	if len(page) == 0 {
		t.Fatal("the page has no commands")
	}
	for _, one := range page {
		is := strings.Contains(doors[one.name], "REST")
		if is != one.served {
			t.Errorf("%s is served: %v, and docs/protocol/rest.md says %v", one.name, is, one.served)
		}
		_, exception := excused[one.name]
		if absent := notServedYet()[one.section] != ""; absent {
			if is {
				t.Errorf("%s is served: take its part out of notServedYet()", one.name)
			}
			continue
		}
		if !is && !exception && slices.Contains(servedSections(), one.section) {
			t.Errorf("%s is not served", one.name)
		}
		if is && exception {
			t.Errorf("%s is served: take it out of notServed()", one.name)
		}
	}
	for name, why := range excused {
		if !slices.ContainsFunc(page, func(one described) bool { return one.name == name }) || why == "" {
			t.Errorf("notServed() has %s, which the page has not, or which has no reason", name)
		}
	}
}
