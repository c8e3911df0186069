output "inventory" {
  description = "For Ansible: terraform output -raw inventory > ../../ansible/inventory.yml"
  value = yamlencode({
    hft = {
      hosts = {
        for name, one in aws_instance.host : "hft-${name}" => {
          ansible_host            = one.private_ip
          ansible_user            = "operator"
          hft_host_isolated_cores = var.isolated_cores
          hft_host_clock          = "ptp"
        }
      }
    }
  })
}
