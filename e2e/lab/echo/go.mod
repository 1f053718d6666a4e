module fairway.dev/lab/echo

go 1.26
