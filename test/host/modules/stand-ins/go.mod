module knest-action.test/host/stand-ins

go 1.26.8
