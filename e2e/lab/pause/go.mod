module fairway.dev/lab/pause

go 1.26
