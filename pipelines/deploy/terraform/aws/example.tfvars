desk_network  = "10.20.32.0/24"
venues        = { XNAS = "10.90.0.0/24", XBOS = "10.91.0.0/24" }
operator_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExam ann"]
