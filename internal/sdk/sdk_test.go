package sdk_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// Everything that the web client asks at login and that belongs to no room has a truthful answer, whose lists are there
// even where they are empty: the client indexes them without looking (docs/protocol/wire.md#traps).
func TestAnswersAtLogin(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		for _, row := range []struct {
			servcmd, body string
			want          []string // members that the reply must have
		}{
			{"group_open_http_svc.get_joined_group_list", `{"Limit":200}`, []string{`"GroupIdList":[]`, `"TotalCount":0`}},
			{"million_group_open_http_svc.get_joined_group_list", `{"Limit":200}`, []string{`"GroupIdList":[]`}},
			{"im_sdk_config_mgr.fetch_config", `{"uint32_sdkappid":1400000001,"uint64_version":0}`,
				[]string{`"int32_error_code":0`, `"uint32_expired_time":`, `"str_json_config":"{`, fmt.Sprintf(`"uint32_sdkappid":%d`, s.AppID)}},
			{"im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2", `{}`, []string{`"int32_error_code":0`, `"str_purchase_bits":"0`}},
			{"imopenstat.tim_web_report_v2", `{"Header":{},"Event":[{"x":1}],"Quality":[]}`, nil},
			{"im_open_status.wshello", `{}`, nil},
			{"heartbeat.alive", `{}`, nil},
		} {
			var raw json.RawMessage
			if e := alice.Call(t, row.servcmd, row.body, &raw); e.ErrorCode != 0 || e.ActionStatus != "OK" {
				t.Errorf("%s: answered %+v", row.servcmd, e)
			}
			for _, member := range row.want {
				if !strings.Contains(string(raw), member) {
					t.Errorf("%s: answered %s, want %s in it", row.servcmd, raw, member)
				}
			}
		}
	})
}

// The configuration is a flat object in a string, whose values are strings.
func TestConfigIsFlat(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		var reply struct {
			Config string `json:"str_json_config"`
		}
		s.Login(t, "alice").MustCall(t, "im_sdk_config_mgr.fetch_config", `{}`, &reply)
		var flat map[string]string
		if err := json.Unmarshal([]byte(reply.Config), &flat); err != nil {
			t.Errorf("%q: %v", reply.Config, err)
		}
	})
}

// A client reports before it has logged in, too. Everything else is refused then.
func TestReportBeforeLogin(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		c := s.Connect(t)
		if e := c.Call(t, "imopenstat.tim_web_report_v2", `{}`, nil); e.ErrorCode != 0 {
			t.Errorf("a report: answered %+v", e)
		}
		if e := c.Call(t, "im_sdk_config_mgr.fetch_config", `{}`, nil); e.ErrorCode == 0 {
			t.Error("the configuration is given to nobody")
		}
	})
}
