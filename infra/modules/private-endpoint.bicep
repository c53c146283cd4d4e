// One private endpoint, with its addresses in the DNS zones.

param name string
param location string
param tags object
param subnetId string
param targetId string

@description('Which part of the target, as blob or queue of a storage account.')
param part string

@description('Names of the private DNS zones of this group that lead to it.')
param zones string[]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [for each in zones: {
  name: each
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: part
        properties: {
          privateLinkServiceId: targetId
          groupIds: [
            part
          ]
        }
      }
    ]
  }
}

resource addresses 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for (each, index) in zones: {
      name: 'zone-${index}'
      properties: {
        privateDnsZoneId: zone[index].id
      }
    }]
  }
}
