//! Addresses on the loopback interface of a network namespace. Needs root.

#[cfg(test)]
mod addresses {
    use std::fs::File;
    use std::net::IpAddr;
    use std::os::fd::AsFd;
    use std::process::Command;
    use std::thread;

    use fairway_sys::{
        Network, add_address, enter_network_namespace, interfaces, own_addresses, remove_address,
    };

    /// Deletes the namespace, whatever happens.
    struct Namespace(String);

    impl Drop for Namespace {
        fn drop(&mut self) {
            let _ = Command::new("ip").args(["netns", "del", &self.0]).status(); // it may not have been made
        }
    }

    fn has(address: IpAddr) -> bool {
        let all = interfaces().unwrap();
        let loopback = all.iter().find(|interface| interface.name == "lo").unwrap();
        loopback.networks.iter().any(|network| network.address == address)
    }

    #[test]
    fn an_address_comes_and_goes_and_doing_it_twice_is_no_error() {
        if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
            eprintln!("skipped: network namespaces need root");
            return;
        }
        let namespace = Namespace(format!("fs{}", std::process::id()));
        assert!(Command::new("ip").args(["netns", "add", &namespace.0]).status().unwrap().success());
        let file = File::open(format!("/run/netns/{}", namespace.0)).unwrap();
        let body = move || {
            enter_network_namespace(file.as_fd()).unwrap();
            let set = "addr add 198.51.100.6/32 dev lo".split(' ');
            assert!(Command::new("ip").args(set).status().unwrap().success());
            let index = interfaces().unwrap().iter().find(|interface| interface.name == "lo").unwrap().index;
            for (address, prefix) in [("198.51.100.7", 32), ("2001:db8::7", 128)] {
                let network = Network { address: address.parse().unwrap(), prefix };
                for _ in 0..2 {
                    add_address(index, network).unwrap();
                    assert!(has(network.address), "{address}");
                    assert_eq!(own_addresses().unwrap(), [(index, network)], "and only it is ours");
                }
                for _ in 0..2 {
                    remove_address(index, network).unwrap();
                    assert!(!has(network.address), "{address}");
                }
                let nowhere = add_address(9999, network).unwrap_err();
                assert_eq!(nowhere.raw_os_error(), Some(19), "no such device: {nowhere}");
            }
        };
        thread::spawn(body).join().unwrap();
    }
}
