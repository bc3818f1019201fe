// Package sdk answers what the official client asks at login and what belongs to no room: its configuration, the
// features it may use, its telemetry, and lists of things that do not exist here yet.
//
// Every line of absent.go goes away when the room is built that knows the answer.
package sdk

import (
	"context"
	"hash/crc32"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Commands is the room's table of contents. bits gives the features that clients may use, which are those of all rooms'
// commands together; sizes gives the largest files that the clients of an application may upload, as its configuration has them.
func Commands(bits func() string, sizes func(*im.App) string) []command.Command {
	return append([]command.Command{configCommand(sizes), featuresCommand(bits), reportCommand()}, absent()...)
}

const configService = "im_sdk_config_mgr"

// refetch is how many seconds a client keeps configuration and features.
const refetch = 3600

type configRequest struct {
	Version int64 `json:"uint64_version"`
}

// configReply: the configuration is a flat JSON object in a string, whose values are strings
// (docs/protocol/wire.md#config).
type configReply struct {
	Code    int    `json:"int32_error_code"`
	Message string `json:"str_error_message"`
	Config  string `json:"str_json_config"`
	Expires int    `json:"uint32_expired_time"`
	AppID   uint32 `json:"uint32_sdkappid"`
	Version int64  `json:"uint64_version"`
}

func configCommand(sizes func(*im.App) string) command.Command {
	return command.New(command.Spec{
		Service: configService, Name: "fetch_config", By: command.Account, Family: im.FamilyAccount(),
		Doc: "give a client its configuration", Section: "wire.md#config",
	}, func(_ context.Context, call *command.Call, _ *configRequest) (*configReply, error) {
		config, err := wire.Marshal(clientConfig{Reports: noReports, Sizes: sizes(call.App)})
		if err != nil {
			return nil, err
		}
		// Clients apply only a version that they do not have.
		version := int64(crc32.ChecksumIEEE(config)) | 1
		return &configReply{Config: string(config), Expires: refetch, AppID: uint32(call.App.ID), Version: version}, nil
	})
}

// clientConfig is what the client is to do otherwise than by itself.
type clientConfig struct {
	// Reports keeps the client from sending event reports, which this server does not read.
	Reports string `json:"evt_rpt_level"`
	Sizes   string `json:"upload_size_limit"`
}

// noReports is a level that no event has.
const noReports = "9"

type featuresReply struct {
	Code    int    `json:"int32_error_code"`
	Message string `json:"str_error_message"`
	Bits    string `json:"str_purchase_bits"`
	Expires int    `json:"uint32_expired_time"`
}

// featuresCommand answers for the features that a client asks about before it uses them: one without the bit says so
// itself instead of sending a command that nobody answers.
func featuresCommand(bits func() string) command.Command {
	return command.New(command.Spec{
		Service: configService, Name: "fetch_imsdk_purchase_bitsv2", By: command.Account, Family: im.FamilyAccount(),
		Doc: "tell a client which features it may use", Section: "wire.md#config",
	}, func(context.Context, *command.Call, *command.None) (*featuresReply, error) {
		return &featuresReply{Bits: bits(), Expires: refetch}, nil
	})
}

// reportRate bounds the reports of one account, or of one address before login; a client makes one a minute.
const reportRate = 10

func reportCommand() command.Command {
	return command.New(command.Spec{
		Service: "imopenstat", Name: "tim_web_report_v2", By: command.Account | command.Guest,
		Family: im.FamilyAccount(), ClientRate: reportRate,
		Doc: "take a client's telemetry and drop it", Section: "wire.md#config",
	}, func(context.Context, *command.Call, *command.None) (*command.None, error) { return nil, nil })
}
