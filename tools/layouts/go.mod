module mapfault/tools/layouts

go 1.19
