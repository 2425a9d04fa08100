//go:build tools

package tools

import _ "github.com/folbricht/desync/cmd/desync"
