# What a fresh host is told at its first boot, as cloud-init. No provider: any cloud and any machine of
# one's own takes it. It makes the host reachable for Ansible and puts the kernel's command line in
# place, which needs a reboot; all else is the role hft_host's (../../ansible).

terraform {
  required_version = ">= 1.7"
}

locals {
  cores  = join(",", [for core in var.isolated_cores : tostring(core)])
  kernel = join(" ", local.options)
  options = [
    "isolcpus=managed_irq,domain,${local.cores}",
    "nohz_full=${local.cores}",
    "rcu_nocbs=${local.cores}",
    "irqaffinity=${join(",", [for core in var.system_cores : tostring(core)])}",
    "intel_idle.max_cstate=1",
    "processor.max_cstate=1",
    "transparent_hugepage=madvise",
    "hugepages=${var.huge_pages}",
    "nosmt",
    "tsc=reliable",
    "clocksource=tsc",
  ]

  user_data = {
    hostname         = var.name
    manage_etc_hosts = true
    disable_root     = true
    ssh_pwauth       = false
    package_update   = true
    packages         = ["chrony", "linux-cpupower", "nftables", "python3", "python3-venv", "rsync"]
    ssh_deletekeys   = true
    ssh_genkeytypes  = ["ed25519"]
    users = [{
      name                = "operator"
      groups              = ["sudo"]
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      ssh_authorized_keys = var.operator_keys
    }]
    write_files = concat(
      [{
        path    = "/etc/default/grub.d/90-hft.cfg"
        content = "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX ${local.kernel}\"\n"
      }],
      var.ptp ? [{
        path    = "/etc/modprobe.d/90-hft-ptp.conf"
        content = "options ena phc_enable=1\n"
      }] : [],
    )
    runcmd      = [["update-grub"]]
    power_state = { mode = "reboot", message = "the kernel's command line is new", condition = true }
  }
}
