#!/bin/sh
# The oracle of smtpd.py, remote.py and filterd.py, for inject.py: they have judged, and this repeats it.
said=$(tail -n 1 "$FI_STDOUT")
case $said in
'fine '*) printf "%s\n" "${said#fine }" ;;
'bad '*) printf "%s\n" "${said#bad }" && exit 1 ;;
*) printf "%s\n" "no-verdict $(tail -n 3 "$FI_STDERR" | tr '\n' ' ')" && exit 1 ;;
esac
