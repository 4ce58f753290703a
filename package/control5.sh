#!/bin/sh
# Prints the table of settings into control/control.5 anew, after control/settings.def has changed.
set -eu
cd "$(dirname "$0")/.."
program=$(./do where pneu-control)
page=control/control.5
{
	sed '/^\.\\" The table/q' $page
	"$program" doc -m
	sed -n '/^\.\\" End of the table/,$p' $page
} >$page.new
mv $page.new $page
